/*-------------------------------------------------------------------------
 *
 * distribution.h
 *	  How often times of which length occurred, per role, database and
 *	  application: histograms with fixed buckets.
 *
 * Buckets	Four per power of two from 1 us to 25 days, the last one without end;
 *			a percentile read from them is never too low, and at most 25 % too
 *			high.  Below 4 us every microsecond has its own.
 * Writer	Each backend counts its own times in a live distribution, which lies
 *			parallel to its slot, without a lock.  Whoever holds PGV_LOCK_SLOTS
 *			exclusively moves what is over into the distributions of the
 *			aggregates: the backend itself when its application changes, and who
 *			folds its slot (aggregate.h).  A bitmap of the buckets in use makes
 *			that cheap.
 * Readers	Whoever holds that lock at least shared adds the live ones to those of
 *			the aggregates, so nothing is missed or counted twice.
 * Reset	Nobody may touch a live distribution of another: a reset begins a new
 *			generation, and one that is not of it counts for nothing until its
 *			owner has emptied it.
 * Lifetime	Made at server start for all aggregates there may be.  Memory of
 *			aggregates that have not appeared yet is not touched.
 *
 * extension/src/stats/distribution.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_DISTRIBUTION_H
#define PGV_DISTRIBUTION_H

#include "postgres.h"

#include "base/part.h"
#include "port/pg_bitutils.h"
#include "stats/aggregate.h"

/* What is measured.  Live distributions have those up to PGV_LIVE_MEASURES. */
typedef enum PgvMeasure
{
	PGV_STATEMENT_TIME,			/* arrival of a statement to the end of its answer */
	PGV_TRANSACTION_TIME,		/* begin to end of a transaction */
	PGV_IN_TRANSACTION_GAP,		/* one wait for the client inside a transaction */
	PGV_SESSION_TIME,			/* login to end of a session */
	PGV_LOGIN_TIME				/* one login */
} PgvMeasure;

#define PGV_MEASURES (PGV_LOGIN_TIME + 1)
#define PGV_LIVE_MEASURES (PGV_IN_TRANSACTION_GAP + 1)

/* Names of the measures, as in pgvalet.distributions.measure. */
extern const char *const pgv_measure_names[PGV_MEASURES];

#define PGV_BUCKETS 160
#define PGV_BUCKET_WORDS (PGV_BUCKETS / 32)

typedef struct PgvHistogram
{
	int64		sum_us;			/* of all values */
	int64		counts[PGV_BUCKETS];
} PgvHistogram;

typedef struct PgvLiveDistribution
{
	uint32		generation;		/* see "Reset" above */
	uint32		in_use[PGV_LIVE_MEASURES][PGV_BUCKET_WORDS];	/* bits */
	PgvHistogram histograms[PGV_LIVE_MEASURES];
} PgvLiveDistribution;

/* The distributions of one aggregate. */
typedef struct PgvDistribution
{
	PgvHistogram histograms[PGV_MEASURES];
} PgvDistribution;

/* The number of resets; changes only under PGV_LOCK_SLOTS exclusively. */
extern uint32 *pgv_distribution_generation;

/* Our own live distribution, NULL before pgv_distribution_start(). */
extern PgvLiveDistribution *pgv_my_distribution;

/* The part of shared memory that they are. */
extern const PgvPart pgv_distributions_part;

/* The bucket of a time, which is not negative. */
static inline int
pgv_bucket_of(int64 us)
{
	int			octave;

	if (unlikely(us < 4))
		return (int) us;
	octave = pg_leftmost_one_pos64((uint64) us);
	/* The highest two bits are 1 and the quarter: 4 + quarter. */
	return Min((octave - 2) * 4 + (int) (us >> (octave - 2)), PGV_BUCKETS - 1);
}

/* The lowest and highest time of a bucket; the highest of the last is -1. */
extern int64 pgv_bucket_lowest(int bucket);
extern int64 pgv_bucket_highest(int bucket);

/* Makes the live distribution of our slot ours.  When the slot is claimed. */
extern void pgv_distribution_start(void);

/* Empties our own. */
extern void pgv_distribution_empty(void);

/*
 * Empties our own if there was a reset.  Once per command is enough, before the
 * first time of it is counted.
 */
static inline void
pgv_distribution_check_generation(void)
{
	if (unlikely(pgv_my_distribution->generation != *(volatile uint32 *) pgv_distribution_generation))
		pgv_distribution_empty();
}

/* Counts a time in our own. */
static inline void
pgv_distribution_count(PgvMeasure measure, int64 us)
{
	PgvHistogram *histogram = &pgv_my_distribution->histograms[measure];
	int			bucket = pgv_bucket_of(us);

	if (unlikely(histogram->counts[bucket]++ == 0))
		pgv_my_distribution->in_use[measure][bucket / 32] |= UINT32_C(1) << (bucket % 32);
	histogram->sum_us += us;
}

/*
 * Counts a time in the aggregates of a slot.
 *
 * REQUIRES: PGV_LOCK_SLOTS is held exclusively.
 */
extern void pgv_distribution_count_ended(const PgvBackendSlot *slot, PgvMeasure measure, int64 us);

/*
 * Moves what the live distribution of a slot has into those of its aggregates.
 *
 * REQUIRES: PGV_LOCK_SLOTS is held exclusively; the slot is our own, or has ended.
 */
extern void pgv_distribution_flush(const PgvBackendSlot *slot);

/*
 * Adds the distributions of one aggregate to those of another and empties them.
 *
 * REQUIRES: PGV_LOCK_SLOTS is held exclusively.
 */
extern void pgv_distribution_move(PgvDimension dimension, int from, int to);

/*
 * The distributions of a dimension, by number of aggregate, in the current
 * memory context; *count as pgv_aggregate_read() says.
 */
extern PgvDistribution *pgv_distributions_read(PgvDimension dimension, int *count);

/* How many times a histogram has. */
extern int64 pgv_histogram_total(const PgvHistogram *histogram);

/*
 * The bucket of the time that this share of the times (0 to 1) is not longer
 * than.
 *
 * REQUIRES: the histogram is not empty.
 */
extern int	pgv_histogram_percentile(const PgvHistogram *histogram, double fraction);

#endif							/* PGV_DISTRIBUTION_H */
