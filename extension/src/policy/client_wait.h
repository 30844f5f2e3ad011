/*-------------------------------------------------------------------------
 *
 * client_wait.h
 *	  Sessions that wait for their client in the middle of a command.
 *
 * After Flush instead of Sync a session answers, keeps its transaction and its
 * locks, and waits; to the server it is active.  For rules it is idle in a
 * transaction.  A COPY that waits for data is active.
 *
 * Nothing in the session happens when such a wait begins, so it is seen from
 * outside, by looking again and again.
 *
 * extension/src/policy/client_wait.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_CLIENT_WAIT_H
#define PGV_CLIENT_WAIT_H

#include "postgres.h"

#include "stats/backend_slot.h"

/* What the collector remembers of the backend at a place; since == 0: no such wait. */
typedef struct PgvClientWait
{
	int32		pid;
	TimestampTz since;			/* when it was seen first */
} PgvClientWait;

/*
 * Looks at a live session; returns since when it has been seen waiting without a
 * message in between, 0 = it does not wait.  The collector only.
 */
extern TimestampTz pgv_client_wait_look(PgvClientWait *wait, int index, const PgvBackendSlot *slot,
										TimestampTz now);

#endif							/* PGV_CLIENT_WAIT_H */
