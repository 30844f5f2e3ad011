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

/* The backend ends: records it if a rule is the reason.  Our slot is still ours. */
extern void pgv_enforce_end(void);

#endif							/* PGV_ENFORCE_H */
