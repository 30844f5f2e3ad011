/*-------------------------------------------------------------------------
 *
 * sql_functions.c
 *	  Functions under the views; sql/pgvalet--1.0.sql declares them.
 *
 * A function may be called by whoever has EXECUTE on it, view or not, so what a
 * role may see is decided here.
 *
 * extension/src/sql/sql_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "stats/aggregate.h"
#include "stats/backend_slot.h"
#include "fmgr.h"
#include "funcapi.h"
#include "policy/idle_policy.h"
#include "sql/sql_common.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "base/version.h"

PG_FUNCTION_INFO_V1(pgvalet_usage);
PG_FUNCTION_INFO_V1(pgvalet_summary);

/* Columns before the counters. */
#define USAGE_OWN_COLUMNS 4
#define SUMMARY_COLUMNS 15


/* Returns one row of pgvalet.usage(). */
static void
put_aggregate(ReturnSetInfo *result, const PgvAggregateRow *row, PgvDimension dimension)
{
	Datum		values[USAGE_OWN_COLUMNS + PGV_USAGE_COUNTERS] = {0};
	bool		nulls[USAGE_OWN_COLUMNS + PGV_USAGE_COUNTERS] = {0};

	pgv_put_aggregate_key(values, nulls, row, dimension);
	values[2] = Int64GetDatum(row->session_count);
	values[3] = Int64GetDatum(row->live_session_count);
	pgv_put_usage(&values[USAGE_OWN_COLUMNS], &row->usage);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* pgvalet.usage(dimension): what live and ended sessions cost. */
Datum
pgvalet_usage(PG_FUNCTION_ARGS)
{
	PgvDimension dimension = pgv_dimension_of(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PgvAggregateRow *rows;
	int			count;

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	rows = pgv_aggregate_read(dimension, &count);
	for (int i = 0; i < count; i++)
	{
		if (rows[i].is_used)
			put_aggregate((ReturnSetInfo *) fcinfo->resultinfo, &rows[i], dimension);
	}
	return (Datum) 0;
}

/* pgvalet.summary(): one row. */
Datum
pgvalet_summary(PG_FUNCTION_ARGS)
{
	Datum		values[SUMMARY_COLUMNS] = {0};
	bool		nulls[SUMMARY_COLUMNS] = {0};
	TupleDesc	row_type;
	PgvConnectionCounts counts;
	int64		idle_session_ended;
	int64		idle_in_transaction_ended;

	pgv_require_preloaded();
	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	counts = pgv_slots_count_connections();
	pgv_idle_policy_ended_counts(&idle_session_ended, &idle_in_transaction_ended);

	values[0] = Int32GetDatum(counts.all);
	values[1] = Int32GetDatum(counts.active);
	values[2] = Int32GetDatum(counts.idle);
	values[3] = Int32GetDatum(counts.idle_in_transaction);
	values[4] = Int32GetDatum(counts.agent);
	values[5] = Int32GetDatum(MaxConnections);
	values[6] = Int32GetDatum(pgv_reserved_connections());
	values[7] = Float8GetDatum((double) counts.all / MaxConnections);

	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_SHARED);
	values[8] = Int32GetDatum(pgv_slots->highest_count);
	values[9] = TimestampTzGetDatum(pgv_slots->highest_at);
	nulls[9] = (pgv_slots->highest_at == 0);
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));

	values[10] = TimestampTzGetDatum(pgv_slots->started_at);
	values[11] = Int64GetDatum(pg_atomic_read_u64(&pgv_slots->session_count));
	values[12] = Int64GetDatum(idle_session_ended);
	values[13] = Int64GetDatum(idle_in_transaction_ended);
	values[14] = CStringGetTextDatum(PGV_VERSION);

	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
}
