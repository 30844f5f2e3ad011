/*-------------------------------------------------------------------------
 *
 * logins.h
 *	  Who came in, and who was refused: how often, from where, why.
 *
 * A client is refused by a process that may have no PGPROC yet ("too many
 * clients") and that a signal may end at any moment.  So there is no lightweight
 * lock here, and no event is raised by the one that refuses: numbers are atomics,
 * the table of sources has a spinlock that is held for the search in a few places
 * with all signals blocked, and the collector makes events out of it.
 *
 * Writer	Every process that serves a client.
 * Readers	SQL functions and the collector.
 * Lifetime	From the start of the server on; a restart forgets all.  The table has
 *			pgvalet.max_login_sources places; a source that finds none takes that
 *			of the one refused longest ago, out of the few where it may be.
 *
 * extension/src/stats/logins.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_LOGINS_H
#define PGV_LOGINS_H

#include "postgres.h"

#include "base/part.h"
#include "stats/backend_slot.h"

/* Why a client was not let in. */
typedef enum PgvRefusal
{
	PGV_REFUSED_PASSWORD,		/* wrong password, or no such role */
	PGV_REFUSED_BY_RULE,		/* pg_hba.conf, no such role, another method failed */
	PGV_REFUSED_DATABASE,		/* no such database */
	PGV_REFUSED_PRIVILEGE,		/* may not connect to it */
	PGV_REFUSED_TOO_MANY,		/* no connection is free */
	PGV_REFUSED_BUDGET,			/* none is, in the budget of the role, ... */
	PGV_REFUSED_NOT_READY,		/* the server starts, stops or recovers */
	PGV_REFUSED_TIMEOUT,		/* authentication_timeout */
	PGV_REFUSED_PROTOCOL,		/* TLS failed, or what it sent was no startup packet */
	PGV_REFUSED_CLIENT_LEFT,	/* it went when it was asked for its password */
	PGV_REFUSED_OTHER
} PgvRefusal;

#define PGV_REFUSALS (PGV_REFUSED_OTHER + 1)

/* Their names, as in pgvalet.login_failures.reason. */
extern const char *const pgv_refusal_names[PGV_REFUSALS];

/* Where refused clients came from, for one reason. */
typedef struct PgvLoginSource
{
	int32		reason;			/* PgvRefusal */
	int32		last_sqlerrcode;	/* 0 = none was said */
	int64		count;			/* refusals, 0 = empty place */
	int64		unreported_count;	/* of them not yet in an event */
	TimestampTz reported_at;	/* when the last event was raised, 0 = never */
	int64		report_interval_us; /* to the next one, at least */
	TimestampTz first_at;
	TimestampTz last_at;
	char		client_addr[PGV_CLIENT_ADDR_BYTES]; /* "" = Unix socket */
	char		last_role[NAMEDATALEN]; /* as the client gave it, "" = it did not */
	char		last_database[NAMEDATALEN];
	char		last_application[NAMEDATALEN];
} PgvLoginSource;

/* Everybody's logins since the last reset. */
typedef struct PgvLoginCounts
{
	TimestampTz since;			/* last reset, or the start of the server */
	int64		login_count;	/* sessions ready for their first command */
	int64		login_us;		/* they took for that, all together */
	int64		longest_login_us;
	int64		refused_counts[PGV_REFUSALS];
} PgvLoginCounts;

/* Defines pgvalet.max_login_sources.  Called once from _PG_init(). */
extern void pgv_logins_define_settings(void);

/* The part of shared memory that they are. */
extern const PgvPart pgv_logins_part;

/* A client is ready for its first command, after this time. */
extern void pgv_logins_count(int64 login_us);

/*
 * A client is refused.  Names are what it sent, NULL if it did not come so far.
 * Needs nothing but shared memory; any process, not in a signal handler.
 */
extern void pgv_logins_refuse(PgvRefusal reason, int sqlerrcode, const char *client_addr,
							  const char *role, const char *database, const char *application);

/* Reads the numbers: since the last reset, or, whole, since the server started. */
extern PgvLoginCounts pgv_logins_read(bool whole);

/* Copies the sources into the current memory context; their number in *count. */
extern PgvLoginSource *pgv_logins_read_sources(int *count);

#endif							/* PGV_LOGINS_H */
