/*-------------------------------------------------------------------------
 *
 * holdings.h
 *	  What a backend keeps from others: old row versions, and locks that others
 *	  wait for.
 *
 * Readings of the server's own memory, as of now: two of them need not agree.
 *
 * extension/src/stats/holdings.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_HOLDINGS_H
#define PGV_HOLDINGS_H

#include "postgres.h"

#include "access/transam.h"
#include "storage/proc.h"

/*
 * How many transactions ago the oldest began that this backend may look at, or
 * its own; -1 if it keeps none.  next_xid is ReadNextTransactionId().
 */
extern int32 pgv_xmin_age(const PGPROC *proc, TransactionId next_xid);

/* One process waits for a lock because of another. */
typedef struct PgvLockWait
{
	int32		blocker;		/* pid of who has the lock, or is before it in line */
	int32		waiter;			/* pid of who waits */
} PgvLockWait;

/* Who waits for locks now, and for whom. */
typedef struct PgvLockWaits
{
	int			count;
	PgvLockWait *waits;			/* by blocker, then by waiter; no two are equal */
} PgvLockWaits;

/*
 * Reads them, in the current memory context.  Looks at every process, and asks
 * the table of locks about those that wait only.
 *
 * REQUIRES: this process has a PGPROC and holds no lock of ours.
 */
extern PgvLockWaits pgv_lock_waits_read(void);

/*
 * The pids of all that wait because of this process: those that wait for it
 * first, then those that wait for them, and so on; each once, never itself.
 * NULL if there is none.
 */
extern int32 *pgv_lock_waits_behind(const PgvLockWaits *waits, int32 pid, int *count);

#endif							/* PGV_HOLDINGS_H */
