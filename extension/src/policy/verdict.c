/*-------------------------------------------------------------------------
 *
 * verdict.c
 *	  What the collector has decided about sessions, in shared memory.
 *
 * extension/src/policy/verdict.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/part.h"
#include "policy/policy_settings.h"
#include "policy/verdict.h"
#include "storage/shmem.h"

/* A verdict that is read without a lock; see verdict.h. */
typedef struct PgvVerdictPlace
{
	pg_atomic_uint32 change_count;	/* odd while it is being written */
	PgvVerdict	verdict;
} PgvVerdictPlace;

typedef struct PgvBackendVerdicts
{
	PgvVerdictPlace places[PGV_VERDICT_KINDS];
	PgvProgress	progress[PGV_PROGRESS_KINDS];
	PgvClientWait client_wait;
} PgvBackendVerdicts;

typedef struct PgvVerdicts
{
	char		contact[PGV_CONTACT_BYTES]; /* under PGV_LOCK_POLICY */
	PgvBackendVerdicts backends[FLEXIBLE_ARRAY_MEMBER]; /* MaxBackends */
} PgvVerdicts;

static PgvVerdicts *verdicts = NULL;

Size
pgv_verdicts_size(void)
{
	return add_size(offsetof(PgvVerdicts, backends),
					mul_size(MaxBackends, sizeof(PgvBackendVerdicts)));
}

void
pgv_verdicts_make(void)
{
	bool		found;

	verdicts = ShmemInitStruct("pgvalet verdicts", pgv_verdicts_size(), &found);
	if (found)
		return;
	memset(verdicts, 0, pgv_verdicts_size());
	for (int i = 0; i < MaxBackends; i++)
	{
		for (int kind = 0; kind < PGV_VERDICT_KINDS; kind++)
			pg_atomic_init_u32(&verdicts->backends[i].places[kind].change_count, 0);
	}
}

PgvProgress *
pgv_progress_of(int index, PgvProgressKind kind)
{
	return &verdicts->backends[index].progress[kind];
}

PgvClientWait *
pgv_client_wait_of(int index)
{
	return &verdicts->backends[index].client_wait;
}

void
pgv_verdict_write(int index, PgvVerdictKind kind, const PgvVerdict *verdict)
{
	PgvVerdictPlace *place = &verdicts->backends[index].places[kind];
	uint32		count = pg_atomic_read_u32(&place->change_count) | 1;

	/* Odd already if a collector was killed in here. */
	pg_atomic_write_u32(&place->change_count, count);
	pg_write_barrier();
	place->verdict = *verdict;
	pg_write_barrier();
	pg_atomic_write_u32(&place->change_count, count + 1);
}

bool
pgv_verdict_read(int index, PgvVerdictKind kind, PgvVerdict *verdict)
{
	PgvVerdictPlace *place = &verdicts->backends[index].places[kind];
	uint32		before = pg_atomic_read_u32(&place->change_count);

	pg_read_barrier();
	*verdict = place->verdict;
	pg_read_barrier();
	return (before & 1) == 0 && before == pg_atomic_read_u32(&place->change_count);
}

void
pgv_verdict_publish_contact(void)
{
	if (strcmp(verdicts->contact, pgv_policy_contact) == 0)
		return;
	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_EXCLUSIVE);
	strlcpy(verdicts->contact, pgv_policy_contact, sizeof(verdicts->contact));
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
}

void
pgv_verdict_copy_contact(char *contact)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_SHARED);
	strlcpy(contact, verdicts->contact, PGV_CONTACT_BYTES);
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
}
