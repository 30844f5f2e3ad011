/*-------------------------------------------------------------------------
 *
 * session_end.h
 *	  How a session ends, as far as its own backend knows it.
 *
 * What is noted here stays in the backend's own memory until it leaves, and goes
 * into its slot then.  Sessions whose memory was lost with a crash are told apart
 * by those who take the slots over (ended_sessions.h).
 *
 * extension/src/stats/session_end.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_SESSION_END_H
#define PGV_SESSION_END_H

#include "postgres.h"

struct PgvBackendSlot;

typedef enum PgvEndCause
{
	PGV_END_CLIENT,				/* the client said goodbye */
	PGV_END_ABANDONED,			/* the client vanished */
	PGV_END_KILLED,				/* pg_terminate_backend() or shutdown */
	PGV_END_POLICY,				/* a rule or a timeout */
	PGV_END_ERROR,				/* another FATAL error */
	PGV_END_CRASH				/* the server lost its memory meanwhile */
} PgvEndCause;

#define PGV_END_CAUSES (PGV_END_CRASH + 1)

/* Their names, as in pgvalet.sessions.how_ended. */
extern const char *const pgv_end_cause_names[PGV_END_CAUSES];

/*
 * Our session is about to be ended, or our client to be refused, and this rule (or
 * setting) is the reason.  Call it right before the error is raised or the server
 * is made to raise it.  May be called from a signal handler.
 */
extern void pgv_end_by_rule(const char *rule_name);

/* That rule, "" = none. */
extern const char *pgv_end_rule(void);

/* Our session has just raised a FATAL error with this SQLSTATE. */
extern void pgv_end_by_error(int sqlerrcode);

/*
 * Our backend leaves: writes into its slot when and how it ended.
 *
 * REQUIRES: the slot is ours and live.
 */
extern void pgv_end_describe(struct PgvBackendSlot *slot);

#endif							/* PGV_SESSION_END_H */
