/*-------------------------------------------------------------------------
 *
 * part_functions.c
 *	  pgvalet.memory and pgvalet.reset(); sql/parts/90_memory.sql declares them.
 *
 * extension/src/sql/part_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/part.h"
#include "lib/stringinfo.h"
#include "sql/sql_common.h"
#include "stats/event_log.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pgvalet_memory);
PG_FUNCTION_INFO_V1(pgvalet_reset);

#define MEMORY_COLUMNS 5

/* pgvalet.memory(): one row per part. */
Datum
pgvalet_memory(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			count;
	const PgvPart *const *parts = pgv_parts(&count);

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	for (int i = 0; i < count; i++)
	{
		Datum		values[MEMORY_COLUMNS] = {0};
		bool		nulls[MEMORY_COLUMNS] = {0};
		int64		used = 0;
		int64		limit = 0;

		if (parts[i]->count != NULL)
			parts[i]->count(&used, &limit);
		values[0] = CStringGetTextDatum(parts[i]->name);
		values[1] = Int64GetDatum((int64) parts[i]->size());
		values[2] = Int64GetDatum(used);
		values[3] = Int64GetDatum(limit);
		nulls[2] = nulls[3] = (parts[i]->count == NULL);
		pgv_put_time(&values[4], &nulls[4], pgv_part_reset_at(i));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* The names that pgvalet.reset() takes, for a hint. */
static char *
names_to_reset(void)
{
	StringInfoData names;
	int			count;
	const PgvPart *const *parts = pgv_parts(&count);

	initStringInfo(&names);
	for (int i = 0; i < count; i++)
	{
		if (parts[i]->reset != NULL)
			appendStringInfo(&names, "\"%s\", ", parts[i]->name);
	}
	appendStringInfoString(&names, "\"all\"");
	return names.data;
}

/* pgvalet.reset(part): forgets what was counted, and says so in an event. */
Datum
pgvalet_reset(PG_FUNCTION_ARGS)
{
	char	   *name;
	PgvEvent	event = {.kind = PGV_EVENT_RESET};

	pgv_require_preloaded();
	/* Not strict: whose variable is NULL is to know that nothing was reset. */
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the part to reset must not be null"),
				 errhint("Use one of %s.", names_to_reset())));
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (!pgv_part_reset(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is nothing to reset that is called \"%s\"", name),
				 errhint("Use one of %s.", names_to_reset())));
	if (pgv_my_slot != NULL)
		pgv_event_describe(&event, pgv_my_slot);
	pgv_event_add(&event, "\"%s\" was reset", name);
	PG_RETURN_VOID();
}
