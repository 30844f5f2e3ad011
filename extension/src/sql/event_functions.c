/*-------------------------------------------------------------------------
 *
 * event_functions.c
 *	  Functions under pgvalet.events; sql/parts/70_events.sql declares them.
 *
 * extension/src/sql/event_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "sql/sql_common.h"
#include "stats/event_log.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pgvalet_events_since);

#define EVENT_COLUMNS 12

/* Returns one row of pgvalet.events_since(). */
static void
put_event(ReturnSetInfo *result, const PgvEvent *event, int64 lost)
{
	Datum		values[EVENT_COLUMNS] = {0};
	bool		nulls[EVENT_COLUMNS] = {0};

	values[0] = Int64GetDatum(event->sequence);
	values[1] = TimestampTzGetDatum(event->at);
	values[2] = CStringGetTextDatum(pgv_event_kind_names[event->kind]);
	values[3] = Int32GetDatum(event->pid);
	nulls[3] = (event->pid == 0);
	pgv_put_oid(&values[4], &nulls[4], event->database_id);
	pgv_put_oid(&values[5], &nulls[5], event->role_id);
	pgv_put_text(&values[6], &nulls[6], event->application_name);
	pgv_put_inet(&values[7], &nulls[7], event->client_addr);
	pgv_put_text(&values[8], &nulls[8], event->rule_name);
	values[9] = BoolGetDatum(event->is_dry_run);
	values[10] = CStringGetTextDatum(event->message);
	values[11] = Int64GetDatum(lost);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* pgvalet.events_since(sequence): the events behind it, oldest first. */
Datum
pgvalet_events_since(PG_FUNCTION_ARGS)
{
	int64		sequence = PG_GETARG_INT64(0);
	PgvEvent   *events;
	int			count;
	int64		lost;

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	events = pgv_events_after(sequence, &count, &lost);
	for (int i = 0; i < count; i++)
		put_event((ReturnSetInfo *) fcinfo->resultinfo, &events[i], i == 0 ? lost : 0);
	return (Datum) 0;
}
