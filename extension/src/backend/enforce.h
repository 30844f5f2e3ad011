/*-------------------------------------------------------------------------
 *
 * enforce.h
 *	  Carries out in a backend what the collector has decided about its session.
 *
 * A verdict (policy/verdict.h) comes with SIGUSR2.  The handler looks whether the
 * session still is in the situation that the verdict was made for: the same wait
 * and no command here, or the same statement.  Only then it acts, by raising the
 * flags that the server's own timeouts, cancel requests and terminations raise.
 * So transaction, locks and connection are treated in the proven way, with the
 * proven SQLSTATE, and no session is ended for a wait that is over.
 *
 * What needs the client, or shared memory under a lock, waits until the next
 * ReadyForQuery: one test of PgvBackendSlot.at_ready per command.
 *
 * extension/src/backend/enforce.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_ENFORCE_H
#define PGV_ENFORCE_H

#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"

/* Installs the hook for the messages.  Called once from _PG_init(). */
extern void pgv_enforce_install(void);

/* Makes this backend obey.  Called once, before its slot is claimed. */
extern void pgv_enforce_start(void);

/*
 * Sees to what PgvBackendSlot.at_ready asks for, which is something.
 *
 * REQUIRES: our state is published, ReadyForQuery with this status is next.
 */
extern void pgv_enforce_at_ready(char transaction_status);

/* What came of the last order to cancel. */
typedef enum PgvCancelOutcome
{
	PGV_CANCEL_NONE,			/* nothing, or there was no order */
	PGV_CANCEL_OPEN,			/* the flag was raised, the statement goes on */
	PGV_CANCEL_TOLD,			/* the statement failed by it */
	PGV_CANCEL_CAUGHT			/* a function caught the error */
} PgvCancelOutcome;

/* Changed by a signal handler, too. */
extern volatile sig_atomic_t pgv_enforce_cancel_outcome;

/*
 * A statement has been executed to its end.  If nobody was told that it was
 * cancelled and the flag is down, the error was caught.  Later on the flag may be
 * taken down by the server reading the next message.
 */
static inline void
pgv_enforce_statement_done(void)
{
	if (unlikely(pgv_enforce_cancel_outcome == PGV_CANCEL_OPEN))
		pgv_enforce_cancel_outcome = QueryCancelPending ? PGV_CANCEL_NONE : PGV_CANCEL_CAUGHT;
}

/* The backend ends: records it if a rule is the reason.  Our slot is still ours. */
extern void pgv_enforce_end(void);

#endif							/* PGV_ENFORCE_H */
