/*-------------------------------------------------------------------------
 *
 * rates.c
 *	  Samples of the counters of roles, databases, applications and the server.
 *
 * A row of samples has the number of its aggregate (aggregate.h).  A row that is
 * not used yet is all zero, and so are the counters of an aggregate before it
 * appears: nothing has to be said about it.
 *
 * extension/src/stats/rates.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/settings.h"
#include "stats/minute.h"
#include "stats/rates.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

/* Samples of one window: for its length, and one more as its begin. */
#define SHORT_SAMPLES 7			/* every sixth of a minute */
#define MIDDLE_SAMPLES 6		/* every minute */
#define LONG_SAMPLES 13			/* every five minutes */
#define ALL_SAMPLES (SHORT_SAMPLES + MIDDLE_SAMPLES + LONG_SAMPLES)

/* How often counters are read again because aggregates gave their place to others. */
#define MOST_TRIES 10

/* Roles, databases, applications and the server. */
#define TABLES (PGV_DIMENSIONS + 1)
#define SERVER_TABLE PGV_DIMENSIONS

/* The ring of samples of one window; place n is that of all rows. */
typedef struct PgvRateRing
{
	int32		first_place;	/* in the samples of a row */
	int32		places;
	int64		count;			/* samples taken; the last is at (count - 1) % places */
	TimestampTz at[LONG_SAMPLES];	/* when each was taken */
} PgvRateRing;

typedef PgvRateCounters PgvRateSamples[ALL_SAMPLES];

typedef struct PgvRateTables
{
	TimestampTz next_at;		/* when the next sample is due; the collector */
	PgvRateRing rings[PGV_RATE_WINDOWS];
	PgvRateSamples samples[FLEXIBLE_ARRAY_MEMBER];	/* rows of all tables */
} PgvRateTables;

const int	pgv_rate_window_minutes[PGV_RATE_WINDOWS] = {1, 5, 60};

static const int ring_places[PGV_RATE_WINDOWS] = {SHORT_SAMPLES, MIDDLE_SAMPLES, LONG_SAMPLES};

/* Minutes between two samples of each window; 0: every step. */
static const int ring_step_minutes[PGV_RATE_WINDOWS] = {0, 1, 5};

static PgvRateTables *rates = NULL;

/* Rows of the tables before this one, each with one for "(other)". */
static int
first_row(int table)
{
	int			row = 0;

	if (table > PGV_BY_ROLE)
		row += pgv_max_roles + 1;
	if (table > PGV_BY_DATABASE)
		row += pgv_max_databases + 1;
	if (table > PGV_BY_APPLICATION)
		row += pgv_max_applications + 1;
	return row;
}

static Size
rates_size(void)
{
	return add_size(offsetof(PgvRateTables, samples),
					mul_size(first_row(SERVER_TABLE) + 1, sizeof(PgvRateSamples)));
}

/* Makes it begin now, at zero. */
static void
clear(TimestampTz now)
{
	int			place = 0;

	memset(rates, 0, rates_size());
	for (int i = 0; i < PGV_RATE_WINDOWS; i++)
	{
		rates->rings[i].first_place = place;
		rates->rings[i].places = ring_places[i];
		rates->rings[i].count = 1;
		rates->rings[i].at[0] = now;
		place += ring_places[i];
	}
}

static void
rates_make(void)
{
	bool		found;

	rates = ShmemInitStruct("pgvalet rates", rates_size(), &found);
	if (!found)
		clear(GetCurrentTimestamp());
}

/* What there is a rate of, out of an aggregate. */
static void
add_counters(PgvRateCounters *counters, const PgvAggregateRow *row)
{
	const PgvUsage *usage = &row->usage;

	counters->login_count += row->login_count;
	counters->xact_count += usage->xact_commit_count + usage->xact_rollback_count;
	counters->xact_rollback_count += usage->xact_rollback_count;
	counters->read_bytes += usage->block_read_count * BLCKSZ;
	counters->written_bytes += usage->block_written_count * BLCKSZ;
	counters->temp_bytes += usage->temp_bytes;
	counters->wal_bytes += usage->wal_bytes;
	counters->active_us += usage->active_us;
	counters->idle_in_transaction_us += usage->idle_in_transaction_us;
}

/* The counters of all rows of a table, as of now; the aggregates in *rows. */
static PgvRateCounters *
read_counters(int table, PgvAggregateRow **rows, int *count)
{
	/* Every session has one database, so all databases are the server. */
	PgvDimension dimension = table == SERVER_TABLE ? PGV_BY_DATABASE : (PgvDimension) table;
	PgvRateCounters *counters;

	*rows = pgv_aggregate_read_whole(dimension, count);
	counters = palloc0(*count * sizeof(PgvRateCounters));
	for (int i = 0; i < *count; i++)
		add_counters(&counters[table == SERVER_TABLE ? 0 : i], &(*rows)[i]);
	if (table == SERVER_TABLE)
		*count = 1;
	return counters;
}

/*
 * Puts counters into the place of the sample that is being taken.
 *
 * REQUIRES: PGV_LOCK_RATES is held exclusively.
 */
static void
put_sample(const PgvRateRing *ring, int table, const PgvRateCounters *counters, int count)
{
	int			place = ring->first_place + (int) (ring->count % ring->places);

	for (int i = 0; i < count; i++)
		rates->samples[first_row(table) + i][place] = counters[i];
}

/*
 * Whether counters read when there were so many moves (pgv_aggregate_moves()) go
 * with the samples.  After some tries it has to be good enough.
 *
 * REQUIRES: PGV_LOCK_RATES is held.
 */
static bool
goes_with_samples(uint32 moves, int tries)
{
	return pgv_aggregate_moves() == moves || tries >= MOST_TRIES;
}

/* Puts counters into the rings that want a sample, or all. */
static void
put_samples(PgvRateCounters **counters, const int *counts, bool is_begin)
{
	TimestampTz now = GetCurrentTimestamp();

	for (int i = 0; i < PGV_RATE_WINDOWS; i++)
	{
		PgvRateRing *ring = &rates->rings[i];
		TimestampTz last = ring->at[(ring->count - 1) % ring->places];

		if (is_begin)
			ring->count = 0;
		else if (now < pgv_minute_end(last) + (ring_step_minutes[i] - 1) * pgv_minute_us())
			continue;
		for (int table = 0; table < TABLES; table++)
			put_sample(ring, table, counters[table], counts[table]);
		ring->at[ring->count % ring->places] = now;
		ring->count++;
	}
}

/* Takes a sample for each window that wants one, or for all. */
static void
take_sample(bool is_begin)
{
	PgvRateCounters *counters[TABLES];
	PgvAggregateRow *rows;
	int			counts[TABLES];
	bool		is_done = false;

	for (int tries = 0; !is_done; tries++)
	{
		uint32		moves = pgv_aggregate_moves();

		for (int i = 0; i < TABLES; i++)
		{
			counters[i] = read_counters(i, &rows, &counts[i]);
			pfree(rows);
		}
		LWLockAcquire(pgv_lock(PGV_LOCK_RATES), LW_EXCLUSIVE);
		is_done = goes_with_samples(moves, tries);
		if (is_done)
			put_samples(counters, counts, is_begin);
		LWLockRelease(pgv_lock(PGV_LOCK_RATES));
		for (int i = 0; i < TABLES; i++)
			pfree(counters[i]);
	}
}

void
pgv_rates_move(PgvDimension dimension, int from, int to, pg_atomic_uint32 *moves)
{
	PgvRateCounters *source;
	PgvRateCounters *target;

	LWLockAcquire(pgv_lock(PGV_LOCK_RATES), LW_EXCLUSIVE);
	source = rates->samples[first_row(dimension) + from];
	target = rates->samples[first_row(dimension) + to];
	for (int place = 0; place < ALL_SAMPLES; place++)
	{
		int64	   *counters = (int64 *) &target[place];

		for (size_t i = 0; i < sizeof(PgvRateCounters) / sizeof(int64); i++)
			counters[i] += ((int64 *) &source[place])[i];
	}
	memset(source, 0, sizeof(PgvRateSamples));
	pg_atomic_fetch_add_u32(moves, 1);
	LWLockRelease(pgv_lock(PGV_LOCK_RATES));
}

static void
rates_reset(void)
{
	take_sample(true);
}

/* Takes a sample when it is time. */
static long
rates_upkeep(TimestampTz now)
{
	/* A clock that was set back must not stop us. */
	if (now >= rates->next_at || rates->next_at > now + pgv_step_us())
	{
		take_sample(false);
		rates->next_at = pgv_step_end(now);
	}
	return (rates->next_at - now + 999) / 1000;
}

const PgvPart pgv_rates_part = {
	.name = "rates",
	.size = rates_size,
	.make = rates_make,
	.reset = rates_reset,
	.upkeep = rates_upkeep,
};

/*
 * The sample where a window begins: the youngest that is old enough, or the
 * oldest there is.
 */
static int
window_begin(int window, TimestampTz now)
{
	const PgvRateRing *ring = &rates->rings[window];
	int64		window_us = pgv_rate_window_minutes[window] * pgv_minute_us();
	int64		oldest = Max(ring->count - ring->places, 0);
	int64		n = ring->count - 1;

	while (n > oldest && now - ring->at[n % ring->places] < window_us)
		n--;
	return (int) (n % ring->places);
}

/* What has grown since a sample. */
static PgvRateCounters
growth_since(const PgvRateCounters *sample, const PgvRateCounters *now)
{
	PgvRateCounters growth;
	const int64 *from = (const int64 *) sample;
	const int64 *to = (const int64 *) now;

	for (size_t i = 0; i < sizeof(PgvRateCounters) / sizeof(int64); i++)
		((int64 *) &growth)[i] = Max(to[i] - from[i], 0);
	return growth;
}

/* Makes rates of the counters of a table.  REQUIRES: PGV_LOCK_RATES is held. */
static void
fill_rates(PgvRates *result, int table, const PgvAggregateRow *aggregates,
		   const PgvRateCounters *counters, int count)
{
	TimestampTz now = GetCurrentTimestamp();
	int			begin[PGV_RATE_WINDOWS];

	result->count = 0;
	for (int w = 0; w < PGV_RATE_WINDOWS; w++)
	{
		begin[w] = window_begin(w, now);
		result->window_us[w] = now - rates->rings[w].at[begin[w]];
		begin[w] += rates->rings[w].first_place;
	}
	for (int i = 0; i < count; i++)
	{
		PgvRateRow *row = &result->rows[result->count];

		if (table != SERVER_TABLE && !aggregates[i].is_used)
			continue;
		row->key = aggregates[i].key;
		row->is_other = aggregates[i].is_other;
		for (int w = 0; w < PGV_RATE_WINDOWS; w++)
			row->growth[w] = growth_since(&rates->samples[first_row(table) + i][begin[w]],
										  &counters[i]);
		result->count++;
	}
}

/* Reads a table. */
static PgvRates
read_table(int table)
{
	PgvRates	result = {0};
	bool		is_done = false;

	for (int tries = 0; !is_done; tries++)
	{
		uint32		moves = pgv_aggregate_moves();
		PgvAggregateRow *aggregates;
		int			count;
		PgvRateCounters *counters = read_counters(table, &aggregates, &count);

		result.rows = palloc0(count * sizeof(PgvRateRow));
		LWLockAcquire(pgv_lock(PGV_LOCK_RATES), LW_SHARED);
		is_done = goes_with_samples(moves, tries);
		if (is_done)
			fill_rates(&result, table, aggregates, counters, count);
		LWLockRelease(pgv_lock(PGV_LOCK_RATES));
	}
	return result;
}

PgvRates
pgv_rates_read(PgvDimension dimension)
{
	return read_table(dimension);
}

PgvRates
pgv_rates_read_server(void)
{
	return read_table(SERVER_TABLE);
}
