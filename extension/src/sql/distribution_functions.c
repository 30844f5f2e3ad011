/*-------------------------------------------------------------------------
 *
 * distribution_functions.c
 *	  Functions under pgvalet.distributions; sql/parts/22_distributions.sql
 *	  declares them.
 *
 * extension/src/sql/distribution_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "sql/sql_common.h"
#include "stats/distribution.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pgvalet_distribution_rows);
PG_FUNCTION_INFO_V1(pgvalet_histogram_rows);

#define NAME_COLUMNS 3
#define DISTRIBUTION_COLUMNS (NAME_COLUMNS + 7)
#define HISTOGRAM_COLUMNS (NAME_COLUMNS + 3)

/* How often both are read again because aggregates gave their place to others. */
#define MOST_TRIES 10

static const double shown_fractions[] = {0.5, 0.9, 0.95, 0.99, 1};

/* What is done with each histogram that is not empty. */
typedef void (*PgvHistogramPut) (ReturnSetInfo *result, Datum *values, bool *nulls,
								 const PgvHistogram *histogram);

/* The longest time of a bucket, as far as that is known. */
static Datum
bound_of(int bucket)
{
	int64		highest = pgv_bucket_highest(bucket);

	return Int64GetDatum(highest >= 0 ? highest : pgv_bucket_lowest(bucket));
}

/* One row of pgvalet.distribution_rows(). */
static void
put_distribution(ReturnSetInfo *result, Datum *values, bool *nulls,
				 const PgvHistogram *histogram)
{
	int			at = NAME_COLUMNS;

	values[at++] = Int64GetDatum(pgv_histogram_total(histogram));
	values[at++] = Int64GetDatum(histogram->sum_us);
	for (int i = 0; i < (int) lengthof(shown_fractions); i++)
		values[at++] = bound_of(pgv_histogram_percentile(histogram, shown_fractions[i]));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The rows of pgvalet.histogram_rows(). */
static void
put_buckets(ReturnSetInfo *result, Datum *values, bool *nulls, const PgvHistogram *histogram)
{
	for (int bucket = 0; bucket < PGV_BUCKETS; bucket++)
	{
		if (histogram->counts[bucket] == 0)
			continue;
		values[NAME_COLUMNS] = Int64GetDatum(pgv_bucket_lowest(bucket));
		values[NAME_COLUMNS + 1] = Int64GetDatum(pgv_bucket_highest(bucket));
		nulls[NAME_COLUMNS + 1] = (pgv_bucket_highest(bucket) < 0);
		values[NAME_COLUMNS + 2] = Int64GetDatum(histogram->counts[bucket]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * Reads the distributions of a dimension and the names that go with them.  After
 * some tries they have to be good enough.
 */
static void
read_both(PgvDimension dimension, PgvDistribution **distributions, PgvAggregateRow **aggregates,
		  int *count)
{
	uint32		moves;

	for (int tries = 0; tries < MOST_TRIES; tries++)
	{
		moves = pgv_aggregate_moves();
		*distributions = pgv_distributions_read(dimension, count);
		*aggregates = pgv_aggregate_read(dimension, count);
		if (pgv_aggregate_moves() == moves)
			return;
		if (tries < MOST_TRIES - 1)
		{
			pfree(*distributions);
			pfree(*aggregates);
		}
	}
}

/* Gives every histogram of a dimension that is not empty to put. */
static void
put_histograms(ReturnSetInfo *result, PgvDimension dimension, PgvHistogramPut put)
{
	int			count;
	PgvDistribution *distributions;
	PgvAggregateRow *aggregates;

	read_both(dimension, &distributions, &aggregates, &count);
	for (int i = 0; i < count; i++)
	{
		Datum		values[DISTRIBUTION_COLUMNS] = {0};
		bool		nulls[DISTRIBUTION_COLUMNS] = {0};

		pgv_put_aggregate_key(values, nulls, &aggregates[i], dimension);
		for (int measure = 0; measure < PGV_MEASURES; measure++)
		{
			const PgvHistogram *histogram = &distributions[i].histograms[measure];

			if (pgv_histogram_total(histogram) == 0)
				continue;
			values[2] = CStringGetTextDatum(pgv_measure_names[measure]);
			put(result, values, nulls, histogram);
		}
	}
}

/* pgvalet.distribution_rows(dimension): each measure in a few numbers. */
Datum
pgvalet_distribution_rows(PG_FUNCTION_ARGS)
{
	PgvDimension dimension = pgv_dimension_of(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	put_histograms((ReturnSetInfo *) fcinfo->resultinfo, dimension, put_distribution);
	return (Datum) 0;
}

/* pgvalet.histogram_rows(dimension): all buckets that are in use. */
Datum
pgvalet_histogram_rows(PG_FUNCTION_ARGS)
{
	PgvDimension dimension = pgv_dimension_of(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	put_histograms((ReturnSetInfo *) fcinfo->resultinfo, dimension, put_buckets);
	return (Datum) 0;
}
