/*-------------------------------------------------------------------------
 *
 * holdings.c
 *	  What a backend keeps from others: old row versions, and locks that others
 *	  wait for.
 *
 * extension/src/stats/holdings.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "stats/holdings.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"

int32
pgv_xmin_age(const PGPROC *proc, TransactionId next_xid)
{
	TransactionId oldest = *(const volatile TransactionId *) &proc->xmin;

	if (!TransactionIdIsNormal(oldest))
		oldest = *(const volatile TransactionId *) &proc->xid;
	if (!TransactionIdIsNormal(oldest))
		return -1;
	/* One that began after we read next_xid is no older than now. */
	return Max((int32) (next_xid - oldest), 0);
}

static int
compare_waits(const void *a, const void *b)
{
	const PgvLockWait *left = a;
	const PgvLockWait *right = b;

	if (left->blocker != right->blocker)
		return left->blocker < right->blocker ? -1 : 1;
	return (left->waiter > right->waiter) - (left->waiter < right->waiter);
}

/* Adds those for whom this process waits. */
static void
add_waits_of(PgvLockWaits *all, int *room, int32 waiter)
{
	/* It looks at shared memory only, so the collector may call it too. */
	ArrayType  *blockers = DatumGetArrayTypeP(DirectFunctionCall1(pg_blocking_pids,
																  Int32GetDatum(waiter)));
	Datum	   *pids;
	int			count;

	deconstruct_array(blockers, INT4OID, sizeof(int32), true, TYPALIGN_INT, &pids, NULL, &count);
	while (all->count + count > *room)
	{
		*room *= 2;
		all->waits = repalloc_huge(all->waits, *room * sizeof(PgvLockWait));
	}
	for (int i = 0; i < count; i++)
	{
		int32		blocker = DatumGetInt32(pids[i]);

		/* 0 stands for a prepared transaction. */
		if (blocker != 0 && blocker != waiter)
			all->waits[all->count++] = (PgvLockWait) {.blocker = blocker,.waiter = waiter};
	}
	pfree(pids);
	pfree(blockers);
}

PgvLockWaits
pgv_lock_waits_read(void)
{
	PgvLockWaits all = {0};
	int			room = 64;
	int			different = 0;

	all.waits = palloc(room * sizeof(PgvLockWait));
	for (int i = 0; i < MaxBackends; i++)
	{
		const volatile PGPROC *proc = GetPGProcByNumber(i);
		int32		pid = proc->pid;

		if (pid != 0 && proc->waitStatus == PROC_WAIT_STATUS_WAITING)
			add_waits_of(&all, &room, pid);
	}
	qsort(all.waits, all.count, sizeof(PgvLockWait), compare_waits);
	for (int i = 0; i < all.count; i++)
	{
		if (i == 0 || compare_waits(&all.waits[i], &all.waits[i - 1]) != 0)
			all.waits[different++] = all.waits[i];
	}
	all.count = different;
	return all;
}

/* The place of the first wait for this process, or where it would be. */
static int
first_wait_for(const PgvLockWaits *waits, int32 blocker)
{
	int			low = 0;
	int			high = waits->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (waits->waits[middle].blocker < blocker)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int32 *
pgv_lock_waits_behind(const PgvLockWaits *waits, int32 pid, int *count)
{
	HASHCTL		info = {
		.keysize = sizeof(int32),
		.entrysize = sizeof(int32),
		.hcxt = CurrentMemoryContext,
	};
	int			first = first_wait_for(waits, pid);
	int32		blocker = pid;
	int32	   *behind;
	HTAB	   *seen;
	bool		is_known;

	*count = 0;
	if (first == waits->count || waits->waits[first].blocker != pid)
		return NULL;
	behind = palloc(waits->count * sizeof(int32));
	seen = hash_create("pgvalet waiters", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	/* Two may wait for each other, until the server finds the deadlock. */
	hash_search(seen, &pid, HASH_ENTER, &is_known);
	for (int next = 0; next <= *count; next++)
	{
		for (int i = first_wait_for(waits, blocker);
			 i < waits->count && waits->waits[i].blocker == blocker; i++)
		{
			hash_search(seen, &waits->waits[i].waiter, HASH_ENTER, &is_known);
			if (!is_known)
				behind[(*count)++] = waits->waits[i].waiter;
		}
		if (next < *count)
			blocker = behind[next];
	}
	hash_destroy(seen);
	return behind;
}
