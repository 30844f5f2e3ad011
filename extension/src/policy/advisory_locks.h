/*-------------------------------------------------------------------------
 *
 * advisory_locks.h
 *	  Which sessions hold advisory locks.
 *
 * extension/src/policy/advisory_locks.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_ADVISORY_LOCKS_H
#define PGV_ADVISORY_LOCKS_H

#include "postgres.h"

typedef struct PgvLockHolders
{
	int			count;
	int		   *pids;			/* ascending */
} PgvLockHolders;

/*
 * All that hold an advisory lock, of their session or of their transaction, in the
 * current memory context.
 *
 * Copies the server's table of locks, with all of it locked, so this is for the
 * moment when something is due, and once for many sessions.  A session that waits
 * for a command neither gets nor gives up a lock: what is true when it is asked is
 * true for as long as it waits.
 */
extern PgvLockHolders *pgv_advisory_lock_holders(void);

extern bool pgv_is_lock_holder(const PgvLockHolders *holders, int pid);

#endif							/* PGV_ADVISORY_LOCKS_H */
