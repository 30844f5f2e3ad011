/*-------------------------------------------------------------------------
 *
 * login_functions.c
 *	  Functions under pgvalet.logins and login_failures; sql/parts/45_logins.sql
 *	  declares them.
 *
 * extension/src/sql/login_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "sql/sql_common.h"
#include "stats/logins.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pgvalet_logins);
PG_FUNCTION_INFO_V1(pgvalet_login_sources);

#define LOGIN_OWN_COLUMNS 6
#define SOURCE_COLUMNS 9

/* pgvalet.login_counts(): one row. */
Datum
pgvalet_logins(PG_FUNCTION_ARGS)
{
	Datum		values[LOGIN_OWN_COLUMNS + PGV_REFUSALS] = {0};
	bool		nulls[LOGIN_OWN_COLUMNS + PGV_REFUSALS] = {0};
	TupleDesc	row_type;
	PgvLoginCounts counts;
	int64		refused = 0;

	pgv_require_preloaded();
	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	counts = pgv_logins_read(false);
	for (int i = 0; i < PGV_REFUSALS; i++)
	{
		refused += counts.refused_counts[i];
		values[LOGIN_OWN_COLUMNS + i] = Int64GetDatum(counts.refused_counts[i]);
	}
	values[0] = TimestampTzGetDatum(counts.since);
	values[1] = Int64GetDatum(counts.login_count + refused);
	values[2] = Int64GetDatum(counts.login_count);
	values[3] = Int64GetDatum(refused);
	values[4] = Int64GetDatum(counts.login_us);
	values[5] = Int64GetDatum(counts.longest_login_us);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
}

/* Returns one row of pgvalet.login_failure_rows(). */
static void
put_source(ReturnSetInfo *result, const PgvLoginSource *source)
{
	Datum		values[SOURCE_COLUMNS] = {0};
	bool		nulls[SOURCE_COLUMNS] = {0};

	pgv_put_inet(&values[0], &nulls[0], source->client_addr);
	values[1] = CStringGetTextDatum(pgv_refusal_names[source->reason]);
	values[2] = Int64GetDatum(source->count);
	values[3] = TimestampTzGetDatum(source->first_at);
	values[4] = TimestampTzGetDatum(source->last_at);
	nulls[5] = source->last_sqlerrcode == 0;
	if (!nulls[5])
		values[5] = CStringGetTextDatum(unpack_sql_state(source->last_sqlerrcode));
	pgv_put_text(&values[6], &nulls[6], source->last_role);
	pgv_put_text(&values[7], &nulls[7], source->last_database);
	pgv_put_text(&values[8], &nulls[8], source->last_application);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* pgvalet.login_failure_rows(): one row per client address and reason. */
Datum
pgvalet_login_sources(PG_FUNCTION_ARGS)
{
	PgvLoginSource *sources;
	int			count;

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	sources = pgv_logins_read_sources(&count);
	for (int i = 0; i < count; i++)
		put_source((ReturnSetInfo *) fcinfo->resultinfo, &sources[i]);
	return (Datum) 0;
}
