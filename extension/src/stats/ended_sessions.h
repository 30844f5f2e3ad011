/*-------------------------------------------------------------------------
 *
 * ended_sessions.h
 *	  Ring of the sessions that have ended: who they were, what they cost, how
 *	  they ended.
 *
 * Writer	Whoever folds an ended slot (aggregate.h), under PGV_LOCK_SESSIONS; and
 *			the postmaster at start, with what an earlier life has left behind.
 * Readers	SQL functions and the collector, under the same lock.
 * Lifetime	pgvalet.max_ended_sessions sessions, made at server start; a new one
 *			takes the place of the oldest.  They outlive a restart and a crash
 *			(keep.h).  The numbers by cause begin at 0 with the memory.
 *
 * extension/src/stats/ended_sessions.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_ENDED_SESSIONS_H
#define PGV_ENDED_SESSIONS_H

#include "postgres.h"

#include "base/part.h"
#include "stats/backend_slot.h"
#include "stats/session_end.h"
#include "stats/usage.h"

typedef struct PgvEndedSession
{
	int64		sequence;		/* 1, 2, ...; must be first, for the ring */
	int32		pid;			/* its backend had */
	int32		client_port;	/* TCP port of the peer, -1 = Unix socket */
	Oid			database_id;
	Oid			role_id;		/* role that logged in */
	TimestampTz connected_at;	/* when its backend was started */
	TimestampTz ended_at;
	int64		login_us;		/* from connected_at to ready for a command */
	int32		how_ended;		/* PgvEndCause */
	int32		end_sqlerrcode; /* of the FATAL error that ended it, 0 = none */
	int64		cpu_user_us;	/* of its backend, microseconds */
	int64		cpu_system_us;
	PgvUsage	usage;			/* from login to end */
	char		end_rule[NAMEDATALEN];	/* rule or setting that ended it, "" = none */
	char		application_name[NAMEDATALEN];	/* the last one it had */
	char		client_addr[PGV_CLIENT_ADDR_BYTES]; /* "" = Unix socket */
	char		agent_name[PGV_AGENT_NAME_BYTES];	/* "" = direct connection */
} PgvEndedSession;

/* Defines pgvalet.max_ended_sessions.  Called once from _PG_init(). */
extern void pgv_ended_sessions_define_settings(void);

/* The part of shared memory that the ring is. */
extern const PgvPart pgv_ended_sessions_part;

/*
 * Adds the session of a slot.
 *
 * REQUIRES: the slot is ended, and ours to free; PGV_LOCK_SESSIONS is not held.
 */
extern void pgv_ended_sessions_add(const PgvBackendSlot *slot);

/*
 * PgvPart.take_over of the slots: sessions that were live when the memory was
 * lost have ended with it, and those that had ended nobody has added yet.
 *
 * REQUIRES: the ring has taken over its own entries.
 */
extern bool pgv_ended_sessions_take_over_slots(void *copy, Size size, const PgvKept *kept);

/* Copies all sessions of the ring, oldest first, into the current memory context. */
extern PgvEndedSession *pgv_ended_sessions_read(int *count);

/* How many sessions have ended since the memory was made, by cause. */
extern void pgv_ended_sessions_counts(int64 counts[PGV_END_CAUSES]);

#endif							/* PGV_ENDED_SESSIONS_H */
