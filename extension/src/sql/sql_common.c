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

Datum
pgv_interval(int64 microseconds)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = microseconds;
	return DirectFunctionCall1(interval_justify_hours, IntervalPGetDatum(interval));
}
