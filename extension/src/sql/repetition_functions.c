/*-------------------------------------------------------------------------
 *
 * repetition_functions.c
 *	  Function under pgvalet.repeated_statements; sql/parts/24_repetition.sql
 *	  declares it.
 *
 * extension/src/sql/repetition_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/query_text.h"
#include "sql/sql_common.h"
#include "stats/repetition.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pgvalet_repetition_rows);

#define REPETITION_COLUMNS 9

/* pgvalet.repetition_rows(): one row per application, database and statement. */
Datum
pgvalet_repetition_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PgvRepetition *entries;
	int			count;

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	entries = pgv_repetitions_read(&count);
	for (int i = 0; i < count; i++)
	{
		Datum		values[REPETITION_COLUMNS] = {0};
		bool		nulls[REPETITION_COLUMNS] = {0};

		values[0] = CStringGetTextDatum(entries[i].application_name);
		values[1] = ObjectIdGetDatum(entries[i].database_id);
		values[2] = Int64GetDatum(entries[i].query_id);
		values[3] = Int64GetDatum(entries[i].transaction_count);
		values[4] = Int64GetDatum(entries[i].execution_count);
		values[5] = Int64GetDatum(entries[i].highest_count);
		values[6] = TimestampTzGetDatum(entries[i].first_seen_at);
		values[7] = TimestampTzGetDatum(entries[i].last_seen_at);
		values[8] = CStringGetTextDatum(pgv_query_text_clip(entries[i].text,
															sizeof(entries[i].text)));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
