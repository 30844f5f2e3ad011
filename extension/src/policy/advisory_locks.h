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

/*
 * Whether the backend with this pid holds an advisory lock, of its session or of
 * its transaction.
 *
 * Asks the server's table of locks, which copies it, so this is for the moment
 * when something is due and not for looking around.  A session that waits for a
 * command neither gets nor gives up a lock: what is true when it is asked is true
 * for as long as it waits.
 */
extern bool pgv_holds_advisory_lock(int pid);

#endif							/* PGV_ADVISORY_LOCKS_H */
