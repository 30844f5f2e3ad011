/*-------------------------------------------------------------------------
 *
 * sql_common.c
 *	  What the functions under the views have in common.
 *
 * extension/src/sql/sql_common.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "sql/sql_common.h"
#include "stats/backend_slot.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

void
pgv_require_preloaded(void)
{
	if (pgv_slots == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pgvalet is not running in this server"),
				 errhint("Add pgvalet to shared_preload_libraries and restart the server.")));
}

void
pgv_put_text(Datum *value, bool *is_null, const char *text)
{
	*is_null = (text[0] == '\0');
	*value = *is_null ? (Datum) 0 : CStringGetTextDatum(text);
}

void
pgv_put_inet(Datum *value, bool *is_null, const char *address)
{
	*is_null = (address[0] == '\0');
	*value = *is_null ? (Datum) 0 : DirectFunctionCall1(inet_in, CStringGetDatum(address));
}

void
pgv_put_time(Datum *value, bool *is_null, TimestampTz time)
{
	*is_null = (time == 0);
	*value = TimestampTzGetDatum(time);
}

void
pgv_put_oid(Datum *value, bool *is_null, Oid id)
{
	*is_null = !OidIsValid(id);
	*value = ObjectIdGetDatum(id);
}

void
pgv_put_usage(Datum *values, const PgvUsage *usage)
{
	const int64 *counters = (const int64 *) usage;

	for (int i = 0; i < PGV_USAGE_COUNTERS; i++)
		values[i] = Int64GetDatum(counters[i]);
}

PgvDimension
pgv_dimension_of(const char *name)
{
	if (strcmp(name, "role") == 0)
		return PGV_BY_ROLE;
	if (strcmp(name, "database") == 0)
		return PGV_BY_DATABASE;
	if (strcmp(name, "application") == 0)
		return PGV_BY_APPLICATION;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("nothing is counted by \"%s\"", name),
			 errhint("Use \"role\", \"database\" or \"application\".")));
	return PGV_BY_ROLE;			/* not reached */
}

void
pgv_put_aggregate_key(Datum *values, bool *nulls, const PgvAggregateRow *row,
					  PgvDimension dimension)
{
	nulls[0] = row->is_other || dimension == PGV_BY_APPLICATION;
	if (!nulls[0])
		values[0] = ObjectIdGetDatum(row->key.object_id);

	nulls[1] = !nulls[0];
	if (row->is_other)
		values[1] = CStringGetTextDatum(PGV_OTHER_NAME);
	else if (dimension == PGV_BY_APPLICATION)
		values[1] = CStringGetTextDatum(row->key.name);
}

Datum
pgv_interval(int64 microseconds)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = microseconds;
	return DirectFunctionCall1(interval_justify_hours, IntervalPGetDatum(interval));
}
