/*-------------------------------------------------------------------------
 *
 * rate_functions.c
 *	  Functions under pgvalet.io_rates, login_rates and recent_usage;
 *	  sql/parts/50_io.sql declares them.
 *
 * extension/src/sql/rate_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "sql/sql_common.h"
#include "stats/io_budget.h"
#include "stats/rates.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pgvalet_rates);
PG_FUNCTION_INFO_V1(pgvalet_io_budget);

#define RATE_COLUMNS 14

/* A rate, or NULL if no time has passed. */
static void
put_rate(Datum *value, bool *is_null, int64 growth, int64 window_us)
{
	*is_null = window_us <= 0;
	*value = Float8GetDatum(*is_null ? 0 : (double) growth * USECS_PER_SEC / window_us);
}

/* Returns one row of pgvalet.rates(): one window. */
static void
put_window(ReturnSetInfo *result, const char *dimension, const PgvRateRow *row, int window,
		   int64 window_us)
{
	Datum		values[RATE_COLUMNS] = {0};
	bool		nulls[RATE_COLUMNS] = {0};
	const PgvRateCounters *growth = &row->growth[window];
	bool		is_server = strcmp(dimension, "server") == 0;
	bool		is_application = strcmp(dimension, "application") == 0;

	values[0] = CStringGetTextDatum(dimension);
	nulls[1] = is_server || is_application || row->is_other;
	if (!nulls[1])
		values[1] = ObjectIdGetDatum(row->key.object_id);
	nulls[2] = !nulls[1];
	if (is_server)
		values[2] = CStringGetTextDatum("");
	else if (row->is_other)
		values[2] = CStringGetTextDatum(PGV_OTHER_NAME);
	else if (is_application)
		values[2] = CStringGetTextDatum(row->key.name);
	values[3] = Int32GetDatum(pgv_rate_window_minutes[window]);
	values[4] = Float8GetDatum((double) Max(window_us, 0) / USECS_PER_SEC);
	put_rate(&values[5], &nulls[5], growth->login_count, window_us);
	put_rate(&values[6], &nulls[6], growth->xact_count, window_us);
	put_rate(&values[7], &nulls[7], growth->read_bytes, window_us);
	put_rate(&values[8], &nulls[8], growth->written_bytes, window_us);
	put_rate(&values[9], &nulls[9], growth->temp_bytes, window_us);
	put_rate(&values[10], &nulls[10], growth->wal_bytes, window_us);
	put_rate(&values[11], &nulls[11], growth->xact_rollback_count, window_us);
	put_rate(&values[12], &nulls[12], growth->active_us, window_us);
	put_rate(&values[13], &nulls[13], growth->idle_in_transaction_us, window_us);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
put_rates(ReturnSetInfo *result, const char *dimension, const PgvRates *rates)
{
	for (int i = 0; i < rates->count; i++)
	{
		for (int window = 0; window < PGV_RATE_WINDOWS; window++)
			put_window(result, dimension, &rates->rows[i], window, rates->window_us[window]);
	}
}

/* pgvalet.rates(): what everybody does per second, three windows each. */
Datum
pgvalet_rates(PG_FUNCTION_ARGS)
{
	static const char *const dimensions[PGV_DIMENSIONS] = {
		[PGV_BY_ROLE] = "role",
		[PGV_BY_DATABASE] = "database",
		[PGV_BY_APPLICATION] = "application",
	};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PgvRates	rates;

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	rates = pgv_rates_read_server();
	put_rates(result, "server", &rates);
	for (int i = 0; i < PGV_DIMENSIONS; i++)
	{
		rates = pgv_rates_read((PgvDimension) i);
		put_rates(result, dimensions[i], &rates);
	}
	return (Datum) 0;
}

/* pgvalet.io_budget(dimension, name): bytes per second, NULL for none. */
Datum
pgvalet_io_budget(PG_FUNCTION_ARGS)
{
	char	   *dimension = text_to_cstring(PG_GETARG_TEXT_PP(0));
	double		budget;

	pgv_require_preloaded();
	if (!pgv_io_budget_is_dimension(dimension))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are no budgets by \"%s\"", dimension),
				 errhint("Use \"server\", \"role\", \"database\" or \"application\".")));
	budget = pgv_io_budget(dimension, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (budget <= 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(budget);
}
