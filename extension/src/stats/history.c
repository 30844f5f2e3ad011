/*-------------------------------------------------------------------------
 *
 * history.c
 *	  What the whole server did, minute by minute.
 *
 * extension/src/stats/history.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/keep.h"
#include "base/ring.h"
#include "stats/aggregate.h"
#include "stats/ended_sessions.h"
#include "stats/history.h"
#include "stats/logins.h"
#include "stats/minute.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

typedef struct PgvHistory
{
	TimestampTz next_at;		/* when to bring it up to date; the collector */
	PgvMinuteCounters begin;	/* all counters when the present minute began */
	PgvMinute	present;		/* up to its last update; started_at 0 = none */
	PgvRing		ring;
} PgvHistory;

/* pgvalet.history_minutes: places in the ring. */
static int	history_minutes = 1440;

static PgvHistory *history = NULL;

void
pgv_history_define_settings(void)
{
	DefineCustomIntVariable("pgvalet.history_minutes",
							"Number of minutes kept in pgvalet.history.",
							"A new minute takes the place of the oldest.",
							&history_minutes,
							1440, 10, 525600,
							PGC_POSTMASTER, 0,
							NULL, NULL, NULL);
}

static Size
history_size(void)
{
	return add_size(offsetof(PgvHistory, ring),
					pgv_ring_size(history_minutes, sizeof(PgvMinute)));
}

static void
history_make(void)
{
	bool		found;

	history = ShmemInitStruct("pgvalet history", history_size(), &found);
	if (found)
		return;
	memset(history, 0, offsetof(PgvHistory, ring));
	history->present.started_at = GetCurrentTimestamp();
	pgv_ring_init(&history->ring, history_minutes, sizeof(PgvMinute));
}

static void
history_count(int64 *used, int64 *limit)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_HISTORY), LW_SHARED);
	*used = pgv_ring_count(&history->ring);
	LWLockRelease(pgv_lock(PGV_LOCK_HISTORY));
	*limit = history_minutes;
}

/* Reads all counters as of now. */
static PgvMinuteCounters
read_counters(void)
{
	PgvMinuteCounters now = {0};
	PgvLoginCounts logins = pgv_logins_read(true);
	int			count;
	PgvAggregateRow *rows = pgv_aggregate_read_whole(PGV_BY_DATABASE, &count);

	now.login_count = logins.login_count;
	for (int i = 0; i < PGV_REFUSALS; i++)
		now.refused_count += logins.refused_counts[i];
	pgv_ended_sessions_counts(now.ended_counts);
	for (int i = 0; i < count; i++)
	{
		const PgvUsage *usage = &rows[i].usage;

		now.xact_commit_count += usage->xact_commit_count;
		now.xact_rollback_count += usage->xact_rollback_count;
		now.statement_count += usage->statement_count;
		now.error_count += usage->error_count;
		now.read_bytes += usage->block_read_count * BLCKSZ;
		now.written_bytes += usage->block_written_count * BLCKSZ;
		now.temp_bytes += usage->temp_bytes;
		now.wal_bytes += usage->wal_bytes;
		now.active_us += usage->active_us;
	}
	pfree(rows);
	return now;
}

/* What has grown since begin. */
static PgvMinuteCounters
growth_since(const PgvMinuteCounters *begin, const PgvMinuteCounters *now)
{
	PgvMinuteCounters growth;

	for (size_t i = 0; i < sizeof(PgvMinuteCounters) / sizeof(int64); i++)
		((int64 *) &growth)[i] = Max(((const int64 *) now)[i] - ((const int64 *) begin)[i], 0);
	return growth;
}

/* The most connections since this was asked with is_end, or since the start. */
static int32
highest_count(bool is_end)
{
	int32		highest;

	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_EXCLUSIVE);
	highest = pgv_slots->recent_highest_count;
	if (is_end)
		pgv_slots->recent_highest_count = pg_atomic_read_u32(&pgv_slots->live_count);
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
	return highest;
}

/*
 * Brings the present minute up to date, and puts it into the ring if it is over.
 * A clock that was set back ends it too.
 */
static void
update(TimestampTz now)
{
	PgvMinute	minute = history->present;
	bool		is_end = now >= pgv_minute_end(minute.started_at) || now < minute.started_at;
	PgvMinuteCounters counters;
	int32		highest;

	pgv_aggregate_fold_all();
	counters = read_counters();
	minute.ended_at = Max(now, minute.started_at);
	minute.connections = pgv_slots_count_connections();
	highest = highest_count(is_end);
	minute.highest_count = Max(highest, minute.connections.all);
	minute.counters = growth_since(&history->begin, &counters);

	LWLockAcquire(pgv_lock(PGV_LOCK_HISTORY), LW_EXCLUSIVE);
	if (is_end)
	{
		pgv_ring_add(&history->ring, &minute);
		memset(&history->present, 0, sizeof(PgvMinute));
		history->present.started_at = now;
		history->begin = counters;
	}
	else
		history->present = minute;
	LWLockRelease(pgv_lock(PGV_LOCK_HISTORY));
}

static long
history_upkeep(TimestampTz now)
{
	/* A clock that was set back must not stop us. */
	if (now >= history->next_at || history->next_at > now + pgv_step_us())
	{
		update(now);
		history->next_at = pgv_step_end(now);
	}
	return (history->next_at - now + 999) / 1000;
}

static void
history_reset(void)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_HISTORY), LW_EXCLUSIVE);
	pgv_ring_forget(&history->ring);
	LWLockRelease(pgv_lock(PGV_LOCK_HISTORY));
}

static void *
history_keep(Size *size)
{
	*size = history_size();
	return history;
}

/* Whether a minute taken over makes sense; see pgv_ring_take_over(). */
static bool
mend_minute(void *entry)
{
	PgvMinute  *minute = entry;

	return pgv_keep_is_time(minute->started_at) && pgv_keep_is_time(minute->ended_at) &&
		minute->started_at <= minute->ended_at;
}

/* The minute in which the server went down is over, too. */
static bool
history_take_over(void *copy, Size size, const PgvKept *kept)
{
	PgvHistory *old = copy;

	if (size < offsetof(PgvHistory, ring) ||
		!pgv_ring_take_over(&history->ring, &old->ring, size - offsetof(PgvHistory, ring),
							mend_minute))
		return false;
	if (old->present.ended_at != 0 && mend_minute(&old->present))
		pgv_ring_add(&history->ring, &old->present);
	return true;
}

const PgvPart pgv_history_part = {
	.name = "history",
	.size = history_size,
	.make = history_make,
	.count = history_count,
	.reset = history_reset,
	.upkeep = history_upkeep,
	.keep = history_keep,
	.take_over = history_take_over,
};

PgvMinute *
pgv_history_read(int *count)
{
	int64		lost;

	return pgv_ring_read(&history->ring, pgv_lock(PGV_LOCK_HISTORY), 0, count, &lost);
}
