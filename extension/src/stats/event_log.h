/*-------------------------------------------------------------------------
 *
 * event_log.h
 *	  Ring of what happened: refused logins, acts of the idle policy, limits
 *	  that come near, leaks, changed settings.
 *
 * Every event has a sequence number, one more than that of the one before, so a
 * reader who remembers the last number he saw knows how many he missed.  Events
 * and their numbers outlive a restart and a crash (keep.h).
 *
 * Writer	Any process that has a PGPROC, under PGV_LOCK_EVENTS.
 * Readers	SQL functions, under the same lock.
 * Lifetime	pgvalet.max_events events, made at server start; a new one takes the
 *			place of the oldest.
 *
 * extension/src/stats/event_log.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_EVENT_LOG_H
#define PGV_EVENT_LOG_H

#include "postgres.h"

#include "base/part.h"
#include "datatype/timestamp.h"
#include "stats/backend_slot.h"

/* Room for the sentence of an event, with its terminating zero. */
#define PGV_EVENT_MESSAGE_BYTES 256

typedef enum PgvEventKind
{
	PGV_EVENT_SERVER_STARTED,	/* counting began */
	PGV_EVENT_LOGIN_REFUSED,	/* a client was not let in */
	PGV_EVENT_BUDGET_REFUSED,	/* one was not, for its connection budget */
	PGV_EVENT_POLICY_LOGGED,	/* a rule of the idle policy has logged */
	PGV_EVENT_POLICY_WARNED,	/* ... warned the client */
	PGV_EVENT_POLICY_CANCELLED, /* ... cancelled the statement */
	PGV_EVENT_POLICY_ENDED,		/* ... ended the session */
	PGV_EVENT_POLICY_CHANGED,	/* other rules or budgets are in force */
	PGV_EVENT_LIMIT_NEAR,		/* connections came near max_connections */
	PGV_EVENT_LIMIT_RELIEVED,	/* ... and are away from it again */
	PGV_EVENT_LEAK_FOUND,		/* a session or group looks leaked */
	PGV_EVENT_PIN_LONG,			/* a session is tied to its backend for long */
	PGV_EVENT_SETTINGS_CHANGED, /* pgvalet.* settings have other values */
	PGV_EVENT_RESET				/* somebody called pgvalet.reset() */
} PgvEventKind;

#define PGV_EVENT_KINDS (PGV_EVENT_RESET + 1)

/* Names of the kinds, as in pgvalet.events.kind. */
extern const char *const pgv_event_kind_names[PGV_EVENT_KINDS];

typedef struct PgvEvent
{
	int64		sequence;		/* 1, 2, ...; must be first, for the ring */
	TimestampTz at;				/* when it happened */
	int32		kind;			/* PgvEventKind */
	int32		pid;			/* of the session it is about, 0 = none */
	Oid			database_id;	/* of that session, InvalidOid = none */
	Oid			role_id;		/* of that session, InvalidOid = none */
	bool		is_dry_run;		/* nothing was done: it would have been */
	char		rule_name[NAMEDATALEN]; /* of the policy, "" = none */
	char		application_name[NAMEDATALEN];
	char		client_addr[PGV_CLIENT_ADDR_BYTES]; /* "" = none or Unix socket */
	char		message[PGV_EVENT_MESSAGE_BYTES];	/* what happened, a sentence */
} PgvEvent;

/* The part of shared memory that the ring is. */
extern const PgvPart pgv_event_log_part;

/* Fills in what is known of a session: identity, application, address. */
extern void pgv_event_describe(PgvEvent *event, const PgvBackendSlot *slot);

/*
 * Adds an event, giving it its sequence number and the time.  Sets its message
 * from a format, cut off where there is no more room.  Only ASCII goes into it:
 * readers in databases of any encoding are to be able to read it.
 *
 * REQUIRES: this process has a PGPROC and holds no lock of ours but
 * PGV_LOCK_SLOTS or PGV_LOCK_POLICY; it is not in a signal handler.
 */
extern void pgv_event_add(PgvEvent *event, const char *format,...) pg_attribute_printf(2, 3);

/*
 * Copies the events behind this sequence number, oldest first, into the current
 * memory context.  *lost is how many there were that are gone.
 */
extern PgvEvent *pgv_events_after(int64 sequence, int *count, int64 *lost);

/* The highest sequence number given; 0 = none yet. */
extern int64 pgv_event_last_sequence(void);

#endif							/* PGV_EVENT_LOG_H */
