/*-------------------------------------------------------------------------
 *
 * session.h
 *	  The session of an agent's connection: what it carries, and giving it another.
 *
 * A session is followed if its agent gave it a key (pgvalet.agent_key) when it
 * connected.  All others pay a test of one variable at ReadyForQuery.
 *
 * What it carries is one text, the state (session_items.h, decision 0200): equal
 * sessions have equal states.  This is the one interface to it; the report
 * (session_report.c) that goes to the agent with ReadyForQuery and the restore
 * that comes from it (session_restore.c) are its users.
 *
 * extension/src/session/session.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_SESSION_H
#define PGV_SESSION_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "session/session_pins.h"

/* More state than this is not moved: the session is pinned. */
#define PGV_STATE_MOST_BYTES (256 * 1024)

/* Under this name reports go and restores come. */
#define PGV_SESSION_PARAMETER "pgvalet.session"

/* Under this one what only holds for the transaction that is open. */
#define PGV_TRANSACTION_PARAMETER "pgvalet.transaction"

/* This session is followed. */
extern bool pgv_session_is_followed;

/* What happened since the last report; events, not states. */
typedef struct PgvSessionEvents
{
	bool		statements_gone;	/* DEALLOCATE ALL, DISCARD ALL */
	bool		notified;		/* NOTIFY, pg_notify() */
	bool		sequences_used; /* lastval(), currval() */
	bool		sequences_gone; /* DISCARD SEQUENCES */
	StringInfoData unlistened;	/* items, of transactions that committed */
} PgvSessionEvents;

extern PgvSessionEvents pgv_session_events;

/* pgv_catalog_changes_all_defaults() when the session's settings had not been read yet. */
extern uint32 pgv_session_defaults_at_login;

/* Parts of the session that may have changed since they were looked at. */
extern bool pgv_session_settings_changed;
extern bool pgv_session_statements_changed;
extern bool pgv_session_channels_changed;

/* Objects were made, altered or dropped since the last ReadyForQuery, which was not said yet. */
extern bool pgv_session_objects_changed;

/* Begins to follow the session, if it has a key.  At its first ReadyForQuery. */
extern void pgv_session_start(void);

/* Describes what the session carries, as a state.  Outside of a transaction. */
extern void pgv_session_describe(StringInfo state, int *setting_count, int *statement_count);

/* Makes the session carry this state.  In a transaction; see session_restore.c. */
extern void pgv_session_restore(const char *state, Size len);

/*
 * Sends the report, if there is something new to say, by this function (the
 * server's putmessage).  Right before ReadyForQuery in idle state.
 */
extern void pgv_session_report(int (*send) (char type, const char *body, size_t len));

/*
 * The same, right before ReadyForQuery in an open transaction: what in this
 * transaction alone makes texts of statements mean something else.
 */
extern void pgv_session_report_open(int (*send) (char type, const char *body, size_t len));

/*
 * A parameter changed, which is sent by this function.  False if the client is
 * not to hear of it.
 */
extern bool pgv_session_parameter_changed(const char *name,
										  int (*send) (char type, const char *body, size_t len));

/* The state that a restore has just put in place: no news for the agent. */
extern void pgv_session_note_restored(const char *state, Size len);

/* Defines the settings through which agents speak.  From _PG_init(). */
extern void pgv_session_define_settings(void);

#endif							/* PGV_SESSION_H */
