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

#include "commands/dbcommands.h"
#include "sql/sql_common.h"
#include "stats/distribution.h"
#include "utils/acl.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pgvalet_distribution_rows);
PG_FUNCTION_INFO_V1(pgvalet_histogram_rows);
PG_FUNCTION_INFO_V1(pgvalet_percentile);

/* object_id and name, before what each function has. */
#define NAME_COLUMNS 2
#define DISTRIBUTION_COLUMNS (NAME_COLUMNS + 8)

/* How often both are read again because aggregates gave their place to others. */
#define MOST_TRIES 10

static const double shown_fractions[] = {0.5, 0.9, 0.95, 0.99, 1};

/* What is done with each histogram that is not empty. */
typedef void (*PgvHistogramPut) (ReturnSetInfo *result, Datum *values, bool *nulls,
								 PgvMeasure measure, const PgvHistogram *histogram);

/* The longest time of a bucket, as far as that is known. */
static Datum
bound_of(int bucket)
{
	int64		highest = pgv_bucket_highest(bucket);

	return Int64GetDatum(highest >= 0 ? highest : pgv_bucket_lowest(bucket));
}

/* One row of pgvalet.distribution_rows(). */
static void
put_distribution(ReturnSetInfo *result, Datum *values, bool *nulls, PgvMeasure measure,
				 const PgvHistogram *histogram)
{
	int			at = NAME_COLUMNS;

	values[at++] = CStringGetTextDatum(pgv_measure_names[measure]);
	values[at++] = Int64GetDatum(pgv_histogram_total(histogram));
	values[at++] = Int64GetDatum(histogram->sum_us);
	for (int i = 0; i < (int) lengthof(shown_fractions); i++)
		values[at++] = bound_of(pgv_histogram_percentile(histogram, shown_fractions[i]));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The rows of pgvalet.histogram_rows(). */
static void
put_buckets(ReturnSetInfo *result, Datum *values, bool *nulls, PgvMeasure measure,
			const PgvHistogram *histogram)
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

/* The measure of this name; an error if there is none. */
static PgvMeasure
measure_of(const char *name)
{
	StringInfoData names;

	for (int i = 0; i < PGV_MEASURES; i++)
	{
		if (strcmp(name, pgv_measure_names[i]) == 0)
			return (PgvMeasure) i;
	}
	initStringInfo(&names);
	for (int i = 0; i < PGV_MEASURES; i++)
		appendStringInfo(&names, "%s\"%s\"", i == 0 ? "" : i == PGV_MEASURES - 1 ? " or " : ", ",
						 pgv_measure_names[i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("nothing is measured that is called \"%s\"", name),
			 errhint("Use %s.", names.data)));
	return PGV_STATEMENT_TIME;	/* not reached */
}

/* Gives every histogram of some measures of a dimension that is not empty to put. */
static void
put_histograms(ReturnSetInfo *result, PgvDimension dimension, int first, int last,
			   PgvHistogramPut put)
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
		for (int measure = first; measure <= last; measure++)
		{
			const PgvHistogram *histogram = &distributions[i].histograms[measure];

			if (pgv_histogram_total(histogram) == 0)
				continue;
			put(result, values, nulls, measure, histogram);
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
	put_histograms((ReturnSetInfo *) fcinfo->resultinfo, dimension, 0, PGV_MEASURES - 1,
				   put_distribution);
	return (Datum) 0;
}

/* pgvalet.histogram_rows(dimension, measure): all buckets that are in use. */
Datum
pgvalet_histogram_rows(PG_FUNCTION_ARGS)
{
	PgvDimension dimension = pgv_dimension_of(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PgvMeasure	measure = measure_of(text_to_cstring(PG_GETARG_TEXT_PP(1)));

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	put_histograms((ReturnSetInfo *) fcinfo->resultinfo, dimension, measure, measure, put_buckets);
	return (Datum) 0;
}

/* Whether this is the row of a name; of a role or database, that with this id. */
static bool
is_row_of(const PgvAggregateRow *row, PgvDimension dimension, const char *name, Oid object_id)
{
	if (row->is_other)
		return strcmp(name, PGV_OTHER_NAME) == 0;
	if (dimension == PGV_BY_APPLICATION)
		return strcmp(name, row->key.name) == 0;
	return OidIsValid(object_id) && row->key.object_id == object_id;
}

/* The histogram of a name that is not empty, NULL = there is none. */
static const PgvHistogram *
find_histogram(PgvDimension dimension, const char *name, PgvMeasure measure)
{
	PgvDistribution *distributions;
	PgvAggregateRow *aggregates;
	int			count;
	Oid			object_id = InvalidOid;

	if (dimension == PGV_BY_ROLE)
		object_id = get_role_oid(name, true);
	else if (dimension == PGV_BY_DATABASE)
		object_id = get_database_oid(name, true);
	read_both(dimension, &distributions, &aggregates, &count);
	for (int i = 0; i < count; i++)
	{
		const PgvHistogram *histogram = &distributions[i].histograms[measure];

		if (is_row_of(&aggregates[i], dimension, name, object_id) &&
			pgv_histogram_total(histogram) > 0)
			return histogram;
	}
	return NULL;
}

/* pgvalet.percentile(dimension, name, measure, fraction); NULL: nothing was counted. */
Datum
pgvalet_percentile(PG_FUNCTION_ARGS)
{
	PgvDimension dimension = pgv_dimension_of(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	PgvMeasure	measure = measure_of(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	double		fraction = PG_GETARG_FLOAT8(3);
	const PgvHistogram *histogram;

	pgv_require_preloaded();
	/* NaN is none either. */
	if (!(fraction >= 0 && fraction <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%g is not a share of the times", fraction),
				 errhint("Use a number from 0 to 1: 0.99 for the 99th percentile.")));
	histogram = find_histogram(dimension, name, measure);
	if (histogram == NULL)
		PG_RETURN_NULL();
	return bound_of(pgv_histogram_percentile(histogram, fraction));
}
