/*-------------------------------------------------------------------------
 *
 * part.c
 *	  The list of the parts of our shared memory.
 *
 * extension/src/base/part.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/part.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#define MAX_PARTS 32
#define TRANCHE "pgvalet"

/* When each part was reset last; see part.h. */
typedef struct PgvResets
{
	pg_atomic_uint64 at[MAX_PARTS]; /* TimestampTz, 0 = never */
} PgvResets;

static const PgvPart *parts[MAX_PARTS];
static int	part_count = 0;
static PgvResets *resets = NULL;
static LWLockPadded *locks = NULL;

void
pgv_parts_add(const PgvPart *part)
{
	Assert(part_count < MAX_PARTS);
	parts[part_count++] = part;
}

const PgvPart *const *
pgv_parts(int *count)
{
	*count = part_count;
	return parts;
}

void
pgv_parts_request(void)
{
	RequestNamedLWLockTranche(TRANCHE, PGV_LOCKS);
	RequestAddinShmemSpace(sizeof(PgvResets));
	for (int i = 0; i < part_count; i++)
		RequestAddinShmemSpace(parts[i]->size());
}

void
pgv_parts_make(void)
{
	bool		found;

	locks = GetNamedLWLockTranche(TRANCHE);
	resets = ShmemInitStruct("pgvalet resets", sizeof(PgvResets), &found);
	for (int i = 0; i < MAX_PARTS && !found; i++)
		pg_atomic_init_u64(&resets->at[i], 0);
	for (int i = 0; i < part_count; i++)
		parts[i]->make();
}

LWLock *
pgv_lock(PgvLock lock)
{
	return locks == NULL ? NULL : &locks[lock].lock;
}

bool
pgv_part_reset(const char *name)
{
	bool		all = (strcmp(name, "all") == 0);
	bool		any = false;

	for (int i = 0; i < part_count; i++)
	{
		if (parts[i]->reset == NULL || (!all && strcmp(parts[i]->name, name) != 0))
			continue;
		parts[i]->reset();
		pg_atomic_write_u64(&resets->at[i], (uint64) GetCurrentTimestamp());
		any = true;
	}
	return any;
}

TimestampTz
pgv_part_reset_at(int place)
{
	return (TimestampTz) pg_atomic_read_u64(&resets->at[place]);
}
