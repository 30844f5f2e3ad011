/*-------------------------------------------------------------------------
 *
 * distribution.c
 *	  How often times of which length occurred.
 *
 * extension/src/stats/distribution.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include <math.h>

#include "stats/distribution.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

const char *const pgv_measure_names[PGV_MEASURES] = {
	[PGV_STATEMENT_TIME] = "statement",
	[PGV_TRANSACTION_TIME] = "transaction",
	[PGV_IN_TRANSACTION_GAP] = "idle_in_transaction",
	[PGV_SESSION_TIME] = "session",
	[PGV_LOGIN_TIME] = "login",
};

uint32	   *pgv_distribution_generation = NULL;
PgvLiveDistribution *pgv_my_distribution = NULL;

/* By index of slot. */
static PgvLiveDistribution *live = NULL;

/* By dimension and number of aggregate; one that is not made has no meaning. */
static PgvDistribution *distributions[PGV_DIMENSIONS];
static bool *is_made[PGV_DIMENSIONS];

/* Aggregates of a dimension, with "(other)". */
static int
places(PgvDimension dimension)
{
	return pgv_aggregate_limit(dimension) + 1;
}

static int
all_places(void)
{
	int			all = 0;

	for (int i = 0; i < PGV_DIMENSIONS; i++)
		all += places(i);
	return all;
}

/* One piece of memory: live ones, generation, marks, distributions. */
static Size
live_size(void)
{
	return mul_size(MaxBackends, sizeof(PgvLiveDistribution));
}

static Size
marks_size(void)
{
	return MAXALIGN(sizeof(uint32)) + MAXALIGN(all_places() * sizeof(bool));
}

static Size
distributions_size(void)
{
	Size		size = add_size(live_size(), marks_size());

	return add_size(size, mul_size(all_places(), sizeof(PgvDistribution)));
}

static void
distributions_make(void)
{
	bool		found;
	char	   *at = ShmemInitStruct("pgvalet distributions", distributions_size(), &found);

	if (!found)
		memset(at, 0, live_size() + marks_size());
	live = (PgvLiveDistribution *) at;
	at += live_size();
	pgv_distribution_generation = (uint32 *) at;
	is_made[0] = (bool *) (at + MAXALIGN(sizeof(uint32)));
	at += marks_size();
	distributions[0] = (PgvDistribution *) at;
	for (int i = 1; i < PGV_DIMENSIONS; i++)
	{
		is_made[i] = is_made[i - 1] + places(i - 1);
		distributions[i] = distributions[i - 1] + places(i - 1);
	}
}

static void
distributions_count(int64 *used, int64 *limit)
{
	*used = 0;
	*limit = all_places();
	for (int i = 0; i < *limit; i++)
		*used += is_made[0][i];
}

static void
distributions_reset(void)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_EXCLUSIVE);
	(*pgv_distribution_generation)++;
	memset(is_made[0], 0, all_places() * sizeof(bool));
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
}

const PgvPart pgv_distributions_part = {
	.name = "distributions",
	.size = distributions_size,
	.make = distributions_make,
	.count = distributions_count,
	.reset = distributions_reset,
};

int64
pgv_bucket_lowest(int bucket)
{
	if (bucket < 4)
		return bucket;
	return (INT64CONST(4) + bucket % 4) << (bucket / 4 - 1);
}

int64
pgv_bucket_highest(int bucket)
{
	return bucket == PGV_BUCKETS - 1 ? -1 : pgv_bucket_lowest(bucket + 1) - 1;
}

void
pgv_distribution_start(void)
{
	pgv_my_distribution = &live[pgv_my_backend_index()];
	pgv_distribution_check_generation();
}

/* The generation comes last: a reader that sees it sees an empty one. */
void
pgv_distribution_empty(void)
{
	PgvLiveDistribution *mine = pgv_my_distribution;
	uint32		generation = *(volatile uint32 *) pgv_distribution_generation;

	memset(mine->in_use, 0, sizeof(mine->in_use));
	memset(mine->histograms, 0, sizeof(mine->histograms));
	pg_write_barrier();
	mine->generation = generation;
}

/* The distribution of the aggregate with this number, made if it is not there. */
static PgvDistribution *
distribution_at(PgvDimension dimension, int number)
{
	PgvDistribution *distribution = &distributions[dimension][number];

	Assert(LWLockHeldByMeInMode(pgv_lock(PGV_LOCK_SLOTS), LW_EXCLUSIVE));
	if (!is_made[dimension][number])
	{
		memset(distribution, 0, sizeof(*distribution));
		is_made[dimension][number] = true;
	}
	return distribution;
}

static PgvDistribution *
distribution_of(PgvDimension dimension, const PgvAggregate *aggregate)
{
	return distribution_at(dimension, aggregate->number);
}

void
pgv_distribution_move(PgvDimension dimension, int from, int to)
{
	const PgvDistribution *source = &distributions[dimension][from];
	PgvDistribution *target;

	if (!is_made[dimension][from])
		return;
	target = distribution_at(dimension, to);
	for (int measure = 0; measure < PGV_MEASURES; measure++)
	{
		target->histograms[measure].sum_us += source->histograms[measure].sum_us;
		for (int bucket = 0; bucket < PGV_BUCKETS; bucket++)
			target->histograms[measure].counts[bucket] += source->histograms[measure].counts[bucket];
	}
	is_made[dimension][from] = false;
}

/* The three that the times of a slot belong to. */
static void
distributions_of(const PgvBackendSlot *slot, PgvDistribution **three)
{
	three[PGV_BY_ROLE] = distribution_of(PGV_BY_ROLE, slot->role);
	three[PGV_BY_DATABASE] = distribution_of(PGV_BY_DATABASE, slot->database);
	three[PGV_BY_APPLICATION] = distribution_of(PGV_BY_APPLICATION, slot->application);
}

void
pgv_distribution_count_ended(const PgvBackendSlot *slot, PgvMeasure measure, int64 us)
{
	PgvDistribution *three[PGV_DIMENSIONS];

	distributions_of(slot, three);
	us = Max(us, 0);
	for (int i = 0; i < PGV_DIMENSIONS; i++)
	{
		three[i]->histograms[measure].counts[pgv_bucket_of(us)]++;
		three[i]->histograms[measure].sum_us += us;
	}
}

/* Moves one measure. */
static void
flush_measure(PgvLiveDistribution *from, PgvDistribution **three, PgvMeasure measure)
{
	PgvHistogram *source = &from->histograms[measure];

	for (int word = 0; word < PGV_BUCKET_WORDS; word++)
	{
		uint32		bits = from->in_use[measure][word];

		while (bits != 0)
		{
			int			bucket = word * 32 + pg_rightmost_one_pos32(bits);

			for (int i = 0; i < PGV_DIMENSIONS; i++)
				three[i]->histograms[measure].counts[bucket] += source->counts[bucket];
			source->counts[bucket] = 0;
			bits &= bits - 1;
		}
		from->in_use[measure][word] = 0;
	}
	for (int i = 0; i < PGV_DIMENSIONS; i++)
		three[i]->histograms[measure].sum_us += source->sum_us;
	source->sum_us = 0;
}

void
pgv_distribution_flush(const PgvBackendSlot *slot)
{
	PgvLiveDistribution *from = &live[pgv_slot_index(slot)];
	PgvDistribution *three[PGV_DIMENSIONS];

	if (from->generation != *pgv_distribution_generation)
	{
		/* What it has was reset. */
		memset(from, 0, sizeof(*from));
		from->generation = *pgv_distribution_generation;
		return;
	}
	distributions_of(slot, three);
	for (int i = 0; i < PGV_LIVE_MEASURES; i++)
		flush_measure(from, three, i);
}

/* Adds what a slot has not yet left in its aggregate. */
static void
add_live(PgvDistribution *to, const PgvLiveDistribution *from)
{
	for (int i = 0; i < PGV_LIVE_MEASURES; i++)
	{
		to->histograms[i].sum_us += from->histograms[i].sum_us;
		for (int bucket = 0; bucket < PGV_BUCKETS; bucket++)
		{
			if ((from->in_use[i][bucket / 32] & (UINT32_C(1) << (bucket % 32))) != 0)
				to->histograms[i].counts[bucket] += from->histograms[i].counts[bucket];
		}
	}
}

static const PgvAggregate *
aggregate_of(const PgvBackendSlot *slot, PgvDimension dimension)
{
	switch (dimension)
	{
		case PGV_BY_ROLE:
			return slot->role;
		case PGV_BY_DATABASE:
			return slot->database;
		case PGV_BY_APPLICATION:
			break;
	}
	return slot->application;
}

PgvDistribution *
pgv_distributions_read(PgvDimension dimension, int *count)
{
	PgvDistribution *copy;
	PgvBackendSlot slot;

	*count = places(dimension);
	copy = palloc_extended(mul_size(*count, sizeof(PgvDistribution)),
						   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_SHARED);
	for (int i = 0; i < *count; i++)
	{
		if (is_made[dimension][i])
			copy[i] = distributions[dimension][i];
	}
	for (int i = 0; i < MaxBackends; i++)
	{
		if (!pgv_slot_copy(i, &slot) || live[i].generation != *pgv_distribution_generation)
			continue;
		pg_read_barrier();
		add_live(&copy[aggregate_of(&slot, dimension)->number], &live[i]);
	}
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
	return copy;
}

int64
pgv_histogram_total(const PgvHistogram *histogram)
{
	int64		total = 0;

	for (int i = 0; i < PGV_BUCKETS; i++)
		total += histogram->counts[i];
	return total;
}

int
pgv_histogram_percentile(const PgvHistogram *histogram, double fraction)
{
	int64		wanted = Max((int64) ceil(fraction * pgv_histogram_total(histogram)), 1);
	int64		seen = 0;
	int			bucket = 0;

	for (; bucket < PGV_BUCKETS - 1; bucket++)
	{
		seen += histogram->counts[bucket];
		if (seen >= wanted)
			break;
	}
	return bucket;
}
