/*-------------------------------------------------------------------------
 *
 * advisory_locks.c
 *	  Which sessions hold advisory locks.
 *
 * extension/src/policy/advisory_locks.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "policy/advisory_locks.h"
#include "storage/lock.h"

static int
compare_pids(const void *a, const void *b)
{
	int			first = *(const int *) a;
	int			second = *(const int *) b;

	return first < second ? -1 : first > second;
}

PgvLockHolders *
pgv_advisory_lock_holders(void)
{
	LockData   *all = GetLockStatusData();
	PgvLockHolders *holders = palloc(sizeof(PgvLockHolders));

	holders->count = 0;
	holders->pids = palloc(Max(all->nelements, 1) * sizeof(int));
	for (int i = 0; i < all->nelements; i++)
	{
		const LockInstanceData *lock = &all->locks[i];

		if (lock->holdMask != 0 && lock->locktag.locktag_type == LOCKTAG_ADVISORY)
			holders->pids[holders->count++] = lock->pid;
	}
	pfree(all->locks);
	pfree(all);
	qsort(holders->pids, holders->count, sizeof(int), compare_pids);
	return holders;
}

bool
pgv_is_lock_holder(const PgvLockHolders *holders, int pid)
{
	return bsearch(&pid, holders->pids, holders->count, sizeof(int), compare_pids) != NULL;
}
