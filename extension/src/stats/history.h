/*-------------------------------------------------------------------------
 *
 * history.h
 *	  What the whole server did, minute by minute.
 *
 * The collector brings the present minute up to date six times in it, and puts it
 * into the ring at its end.  Where the server was down there are no entries; the
 * one before such a gap, and the one after it, are of part of a minute only.
 *
 * Writer	The collector, and pgvalet.reset(), under PGV_LOCK_HISTORY.
 * Readers	SQL functions, under the same lock.
 * Lifetime	pgvalet.history_minutes entries, made at server start; a new one takes
 *			the place of the oldest.  They outlive a restart and a crash (keep.h).
 *
 * extension/src/stats/history.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_HISTORY_H
#define PGV_HISTORY_H

#include "postgres.h"

#include "base/part.h"
#include "stats/backend_slot.h"
#include "stats/session_end.h"

/* Counters: what has grown in a minute. */
typedef struct PgvMinuteCounters
{
	int64		login_count;
	int64		refused_count;	/* logins refused */
	int64		ended_counts[PGV_END_CAUSES];	/* sessions ended */
	int64		xact_commit_count;
	int64		xact_rollback_count;
	int64		statement_count;
	int64		error_count;
	int64		read_bytes;		/* blocks read into buffers */
	int64		written_bytes;	/* blocks written from them */
	int64		temp_bytes;
	int64		wal_bytes;
	int64		active_us;		/* sessions worked on commands, together */
} PgvMinuteCounters;

typedef struct PgvMinute
{
	int64		sequence;		/* 1, 2, ...; must be first, for the ring */
	TimestampTz started_at;
	TimestampTz ended_at;
	PgvConnectionCounts connections;	/* at its end */
	int32		highest_count;	/* most connections at one time in it */
	PgvMinuteCounters counters;
} PgvMinute;

/* Defines pgvalet.history_minutes.  Called once from _PG_init(). */
extern void pgv_history_define_settings(void);

/* The part of shared memory that it is. */
extern const PgvPart pgv_history_part;

/* Copies all entries, oldest first, into the current memory context. */
extern PgvMinute *pgv_history_read(int *count);

#endif							/* PGV_HISTORY_H */
