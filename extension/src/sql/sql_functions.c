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
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "policy/idle_policy.h"
#include "session/session_pins.h"
#include "sql/sql_common.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "base/version.h"

PG_FUNCTION_INFO_V1(pgvalet_backend_slots);
PG_FUNCTION_INFO_V1(pgvalet_usage);
PG_FUNCTION_INFO_V1(pgvalet_summary);

/* Columns before the counters. */
#define BACKEND_SLOTS_OWN_COLUMNS 11
#define BACKEND_SLOTS_SESSION_COLUMNS 5
#define BACKEND_SLOTS_COLUMNS \
	(BACKEND_SLOTS_OWN_COLUMNS + PGV_USAGE_COUNTERS + BACKEND_SLOTS_SESSION_COLUMNS)
#define USAGE_OWN_COLUMNS 4
#define SUMMARY_COLUMNS 15

/* As in pg_stat_activity.state. */
static const char *
state_name(int state)
{
	switch (state)
	{
		case PGV_STATE_ACTIVE:
			return "active";
		case PGV_STATE_IDLE:
			return "idle";
		case PGV_STATE_IDLE_IN_TRANSACTION:
			return "idle in transaction";
		default:
			return "idle in transaction (aborted)";
	}
}

/* What the session carries, in the columns behind the counters. */
static void
put_session(Datum *values, bool *nulls, const PgvBackendSlot *slot)
{
	Datum		names[PGV_PIN_COUNT];
	int			count = 0;

	for (int i = 0; i < PGV_PIN_COUNT; i++)
	{
		if ((slot->pin_reasons & (UINT32_C(1) << i)) != 0)
			names[count++] = CStringGetTextDatum(pgv_pin_names[i]);
	}
	nulls[0] = nulls[2] = count == 0;
	if (count > 0)
	{
		values[0] = PointerGetDatum(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
		values[2] = TimestampTzGetDatum(slot->pinned_since);
	}
	values[1] = Int64GetDatum(slot->pinned_objects);
	values[3] = Int32GetDatum(slot->moved_settings);
	values[4] = Int32GetDatum(slot->moved_statements);
}

/* Returns one row of pgvalet.backend_slots(). */
static void
put_slot(ReturnSetInfo *result, const PgvBackendSlot *slot, TimestampTz now)
{
	Datum		values[BACKEND_SLOTS_COLUMNS] = {0};
	bool		nulls[BACKEND_SLOTS_COLUMNS] = {0};
	PgvUsage	usage = slot->usage;

	values[0] = Int32GetDatum(slot->pid);
	values[1] = ObjectIdGetDatum(slot->database_id);
	values[2] = ObjectIdGetDatum(slot->role_id);
	values[3] = CStringGetTextDatum(slot->application_name);
	if (slot->client_addr[0] != '\0')
		values[4] = DirectFunctionCall1(inet_in, CStringGetDatum(slot->client_addr));
	else
		nulls[4] = true;
	values[5] = Int32GetDatum(slot->client_port);
	if (slot->agent_name[0] != '\0')
		values[6] = CStringGetTextDatum(slot->agent_name);
	else
		nulls[6] = true;
	values[7] = CStringGetTextDatum(state_name(slot->state));
	values[8] = TimestampTzGetDatum(slot->state_since);
	values[9] = TimestampTzGetDatum(slot->connected_at);
	values[10] = Int64GetDatum(slot->login_us);

	pgv_slot_add_running_time(slot, &usage, now);
	pgv_put_usage(&values[BACKEND_SLOTS_OWN_COLUMNS], &usage);
	put_session(&values[BACKEND_SLOTS_OWN_COLUMNS + PGV_USAGE_COUNTERS],
				&nulls[BACKEND_SLOTS_OWN_COLUMNS + PGV_USAGE_COUNTERS], slot);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * pgvalet.backend_slots(): the connected backends that the caller may see, which
 * are all for pg_read_all_stats, and those of roles it has the privileges of.
 */
Datum
pgvalet_backend_slots(PG_FUNCTION_ARGS)
{
	bool		sees_all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
	TimestampTz now = GetCurrentTimestamp();
	PgvBackendSlot slot;

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	for (int i = 0; i < MaxBackends; i++)
	{
		if (!pgv_slot_copy(i, &slot) || slot.phase != PGV_SLOT_LIVE)
			continue;
		if (sees_all || has_privs_of_role(GetUserId(), slot.role_id))
			put_slot((ReturnSetInfo *) fcinfo->resultinfo, &slot, now);
	}
	return (Datum) 0;
}

/* The dimension with this name, or an error. */
static PgvDimension
dimension_of(const char *name)
{
	if (strcmp(name, "role") == 0)
		return PGV_BY_ROLE;
	if (strcmp(name, "database") == 0)
		return PGV_BY_DATABASE;
	if (strcmp(name, "application") == 0)
		return PGV_BY_APPLICATION;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no usage by \"%s\"", name),
			 errhint("Use \"role\", \"database\" or \"application\".")));
	return PGV_BY_ROLE;			/* not reached */
}

/* Returns one row of pgvalet.usage(). */
static void
put_aggregate(ReturnSetInfo *result, const PgvAggregateRow *row, PgvDimension dimension)
{
	Datum		values[USAGE_OWN_COLUMNS + PGV_USAGE_COUNTERS] = {0};
	bool		nulls[USAGE_OWN_COLUMNS + PGV_USAGE_COUNTERS] = {0};

	nulls[0] = row->is_other || dimension == PGV_BY_APPLICATION;
	if (!nulls[0])
		values[0] = ObjectIdGetDatum(row->key.object_id);

	nulls[1] = !nulls[0];
	if (row->is_other)
		values[1] = CStringGetTextDatum(PGV_OTHER_NAME);
	else if (dimension == PGV_BY_APPLICATION)
		values[1] = CStringGetTextDatum(row->key.name);

	values[2] = Int64GetDatum(row->session_count);
	values[3] = Int64GetDatum(row->live_session_count);
	pgv_put_usage(&values[USAGE_OWN_COLUMNS], &row->usage);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* pgvalet.usage(dimension): what live and ended sessions cost. */
Datum
pgvalet_usage(PG_FUNCTION_ARGS)
{
	PgvDimension dimension = dimension_of(text_to_cstring(PG_GETARG_TEXT_PP(0)));
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
