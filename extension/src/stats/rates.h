/*-------------------------------------------------------------------------
 *
 * rates.h
 *	  What roles, databases, applications and the whole server do per second,
 *	  over the last 1, 5 and 60 minutes.
 *
 * Counters are sampled, and a rate is the difference between now and the sample
 * that is as old as the window, by the time between.  Samples get sparser as they
 * get older: for each window there is a ring of its own, whose step is a sixth to
 * a twelfth of the window.  So a window is up to one step longer than it is called;
 * and shorter while the server has not run for so long.  It says how long it is.
 *
 * Writer	The collector, and pgvalet.reset(), under PGV_LOCK_RATES.
 * Readers	SQL functions, under the same lock.
 * Lifetime	From the start of the server on; a restart forgets all.
 *
 * extension/src/stats/rates.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_RATES_H
#define PGV_RATES_H

#include "postgres.h"

#include "base/part.h"
#include "stats/aggregate.h"

/* Windows of 1, 5 and 60 minutes. */
#define PGV_RATE_WINDOWS 3

/* Their lengths, in minutes. */
extern const int pgv_rate_window_minutes[PGV_RATE_WINDOWS];

/* What there is a rate of.  Counters, as in usage.h. */
typedef struct PgvRateCounters
{
	int64		login_count;
	int64		xact_count;		/* commits and rollbacks */
	int64		xact_rollback_count;
	int64		read_bytes;		/* blocks read into buffers */
	int64		written_bytes;	/* blocks written from them */
	int64		temp_bytes;
	int64		wal_bytes;
	int64		active_us;		/* on commands */
	int64		idle_in_transaction_us;
} PgvRateCounters;

/* One role, database or application, or the server. */
typedef struct PgvRateRow
{
	PgvAggregateKey key;
	bool		is_other;		/* key means nothing: the entry "(other)" */
	PgvRateCounters growth[PGV_RATE_WINDOWS];	/* in each window */
} PgvRateRow;

/* What pgv_rates_read() returns. */
typedef struct PgvRates
{
	int64		window_us[PGV_RATE_WINDOWS];	/* how long each is in truth; <= 0: no
												 * time has passed since the start */
	int			count;
	PgvRateRow *rows;			/* in the current memory context */
} PgvRates;

/* The part of shared memory that the samples are. */
extern const PgvPart pgv_rates_part;

/* Reads the rates of all that have been seen; of the server, which is one row. */
extern PgvRates pgv_rates_read(PgvDimension dimension);
extern PgvRates pgv_rates_read_server(void);

/*
 * Adds the samples of one aggregate to those of another and empties them, and
 * counts that move so that who reads both samples and counters notices it.
 *
 * REQUIRES: PGV_LOCK_SLOTS is held exclusively.
 */
extern void pgv_rates_move(PgvDimension dimension, int from, int to, pg_atomic_uint32 *moves);

#endif							/* PGV_RATES_H */
