/*-------------------------------------------------------------------------
 *
 * prepared_changes.c
 *	  Changes of the catalog by prepared transactions, which another session commits.
 *
 * The hook is there in all backends; it costs utility statements a comparison.
 *
 * extension/src/session/prepared_changes.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "common/hashfn.h"
#include "nodes/parsenodes.h"
#include "session/prepared_changes.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "tcop/utility.h"

/* While there were more than these at a time, any that is committed may be one of the others. */
#define MOST_PREPARED 64

typedef struct PreparedChanges
{
	slock_t		lock;			/* protects all below; held for a few instructions */
	bool		overflowed;		/* there may be some that have no place */
	struct
	{
		uint32		gid_hash;
		int			kinds;		/* 0: a free place */
	}			places[MOST_PREPARED];
} PreparedChanges;

static PreparedChanges *prepared = NULL;
static void (*publish_kinds) (int kinds) = NULL;
static ProcessUtility_hook_type prev_ProcessUtility = NULL;

/* Of the last PREPARE TRANSACTION of this session, which is carried out after its statement. */
static uint32 last_gid_hash = 0;

static uint32
hash_of(const char *gid)
{
	return DatumGetUInt32(hash_any((const unsigned char *) gid, (int) strlen(gid)));
}

Size
pgv_prepared_changes_shmem_size(void)
{
	return MAXALIGN(sizeof(PreparedChanges));
}

void
pgv_prepared_changes_shmem_init(void)
{
	bool		found;

	prepared = ShmemInitStruct("pgvalet prepared changes", pgv_prepared_changes_shmem_size(),
							   &found);
	if (found)
		return;
	memset(prepared, 0, sizeof(*prepared));
	SpinLockInit(&prepared->lock);
}

void
pgv_prepared_changes_note(int kinds)
{
	int			free_place = 0;

	SpinLockAcquire(&prepared->lock);
	while (free_place < MOST_PREPARED && prepared->places[free_place].kinds != 0)
		free_place++;
	if (free_place == MOST_PREPARED)
		prepared->overflowed = true;
	else
	{
		prepared->places[free_place].gid_hash = last_gid_hash;
		prepared->places[free_place].kinds = kinds;
	}
	SpinLockRelease(&prepared->lock);
}

/* What the transaction has changed, which is forgotten. */
static int
take_kinds(const char *gid)
{
	uint32		hash = hash_of(gid);
	int			kinds = 0;

	SpinLockAcquire(&prepared->lock);
	for (int i = 0; i < MOST_PREPARED; i++)
	{
		if (prepared->places[i].kinds == 0 || prepared->places[i].gid_hash != hash)
			continue;
		kinds |= prepared->places[i].kinds;
		prepared->places[i].kinds = 0;
	}
	if (kinds == 0 && prepared->overflowed)
		kinds = PGV_CHANGED_DEFAULTS | PGV_CHANGED_RELATIONS;
	SpinLockRelease(&prepared->lock);
	return kinds;
}

static void
pgv_ProcessUtility(PlannedStmt *planned, const char *text, bool read_only,
				   ProcessUtilityContext context, ParamListInfo params,
				   QueryEnvironment *environment, DestReceiver *receiver,
				   QueryCompletion *completion)
{
	const TransactionStmt *statement = NULL;

	if (IsA(planned->utilityStmt, TransactionStmt))
		statement = (const TransactionStmt *) planned->utilityStmt;
	if (statement != NULL && statement->kind == TRANS_STMT_PREPARE)
		last_gid_hash = hash_of(statement->gid);
	if (prev_ProcessUtility)
		prev_ProcessUtility(planned, text, read_only, context, params, environment, receiver,
							completion);
	else
		standard_ProcessUtility(planned, text, read_only, context, params, environment, receiver,
								completion);
	if (statement != NULL && statement->kind == TRANS_STMT_COMMIT_PREPARED)
		publish_kinds(take_kinds(statement->gid));
	else if (statement != NULL && statement->kind == TRANS_STMT_ROLLBACK_PREPARED)
		(void) take_kinds(statement->gid);
}

void
pgv_prepared_changes_install(void (*publish) (int kinds))
{
	publish_kinds = publish;
	prev_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = pgv_ProcessUtility;
}
