/*-------------------------------------------------------------------------
 *
 * history_functions.c
 *	  Functions under pgvalet.history; sql/parts/55_history.sql declares them.
 *
 * extension/src/sql/history_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "sql/sql_common.h"
#include "stats/history.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pgvalet_history);

/* Columns before the counters. */
#define OWN_COLUMNS 8
#define COUNTERS ((int) (sizeof(PgvMinuteCounters) / sizeof(int64)))

/* pgvalet.history_rows(): one row per minute, oldest first. */
Datum
pgvalet_history(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PgvMinute  *minutes;
	int			count;

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	minutes = pgv_history_read(&count);
	for (int i = 0; i < count; i++)
	{
		Datum		values[OWN_COLUMNS + COUNTERS] = {0};
		bool		nulls[OWN_COLUMNS + COUNTERS] = {0};
		const PgvMinute *minute = &minutes[i];
		const int64 *counters = (const int64 *) &minute->counters;

		values[0] = TimestampTzGetDatum(minute->started_at);
		values[1] = TimestampTzGetDatum(minute->ended_at);
		values[2] = Int32GetDatum(minute->connections.all);
		values[3] = Int32GetDatum(minute->connections.active);
		values[4] = Int32GetDatum(minute->connections.idle);
		values[5] = Int32GetDatum(minute->connections.idle_in_transaction);
		values[6] = Int32GetDatum(minute->connections.agent);
		values[7] = Int32GetDatum(minute->highest_count);
		for (int k = 0; k < COUNTERS; k++)
			values[OWN_COLUMNS + k] = Int64GetDatum(counters[k]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
