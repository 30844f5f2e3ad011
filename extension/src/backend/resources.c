/*-------------------------------------------------------------------------
 *
 * resources.c
 *	  What this session holds while it waits: memory and locks.
 *
 * extension/src/backend/resources.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "backend/resources.h"
#include "base/dynahash_find.h"
#include "storage/lock.h"
#include "utils/memutils.h"

HTAB	   *pgv_resources_locks = NULL;

void
pgv_resources_start(void)
{
	if (pgv_dynahash_start())
		pgv_resources_locks = pgv_dynahash_find("LOCALLOCK hash");
}

bool
pgv_resources_holds_advisory_lock(void)
{
	HASH_SEQ_STATUS scan;
	LOCALLOCK  *lock;

	if (pgv_resources_locks_held() == 0)
		return false;
	hash_seq_init(&scan, pgv_resources_locks);
	while ((lock = hash_seq_search(&scan)) != NULL)
	{
		if (lock->nLocks > 0 && lock->tag.lock.locktag_type == LOCKTAG_ADVISORY)
		{
			hash_seq_term(&scan);
			return true;
		}
	}
	return false;
}

/* A walk over some hundred contexts. */
void
pgv_resources_sample_memory(TimestampTz now)
{
	int64		bytes = (int64) MemoryContextMemAllocated(TopMemoryContext, true);

	pgv_slot_begin_write(pgv_my_slot);
	pgv_my_slot->memory_bytes = bytes;
	pgv_my_slot->memory_sampled_at = now;
	pgv_slot_end_write(pgv_my_slot);
}
