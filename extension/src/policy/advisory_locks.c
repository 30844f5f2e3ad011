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

bool
pgv_holds_advisory_lock(int pid)
{
	LockData   *all = GetLockStatusData();
	bool		holds = false;

	for (int i = 0; i < all->nelements && !holds; i++)
	{
		const LockInstanceData *lock = &all->locks[i];

		holds = lock->pid == pid && lock->holdMask != 0 &&
			lock->locktag.locktag_type == LOCKTAG_ADVISORY;
	}
	pfree(all->locks);
	pfree(all);
	return holds;
}
