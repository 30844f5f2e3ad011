/*-------------------------------------------------------------------------
 *
 * leak_functions.c
 *	  The function under pgvalet.leaks; sql/parts/80_leaks.sql declares it.
 *
 * extension/src/sql/leak_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "catalog/pg_type.h"
#include "sql/sql_common.h"
#include "stats/leaks.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pgvalet_leak_rows);

#define LEAK_COLUMNS 17

/* What a session keeps from others; all NULL for a group. */
static void
put_holdings(Datum *values, bool *nulls, const PgvLeak *leak)
{
	Datum	   *pids = palloc(Max(leak->blocked_count, 1) * sizeof(Datum));

	for (int i = 0; i < leak->blocked_count; i++)
		pids[i] = Int32GetDatum(leak->blocked_pids[i]);
	if (leak->kind == PGV_LEAK_GROUP)
	{
		nulls[0] = nulls[1] = nulls[2] = true;
		return;
	}
	values[0] = PointerGetDatum(construct_array(pids, leak->blocked_count, INT4OID,
												sizeof(int32), true, TYPALIGN_INT));
	nulls[0] = (leak->blocked_count == 0);
	values[1] = Int32GetDatum(leak->slot.locks_held);
	values[2] = Int32GetDatum(leak->xmin_age);
	nulls[2] = (leak->xmin_age < 0);
}

/* Returns one row of pgvalet.leak_rows(). */
static void
put_leak(ReturnSetInfo *result, const PgvLeak *leak)
{
	const PgvBackendSlot *slot = &leak->slot;
	bool		is_group = (leak->kind == PGV_LEAK_GROUP);
	Datum		values[LEAK_COLUMNS] = {0};
	bool		nulls[LEAK_COLUMNS] = {0};

	values[0] = CStringGetTextDatum(pgv_leak_kind_names[leak->kind]);
	values[1] = Float8GetDatum(leak->score);
	values[2] = CStringGetTextDatum(leak->reason);
	values[3] = Int32GetDatum(slot->pid);
	pgv_put_oid(&values[4], &nulls[4], slot->database_id);
	pgv_put_oid(&values[5], &nulls[5], slot->role_id);
	values[6] = CStringGetTextDatum(slot->application_name);
	pgv_put_inet(&values[7], &nulls[7], slot->client_addr);
	pgv_put_text(&values[8], &nulls[8], slot->agent_name);
	values[9] = TimestampTzGetDatum(slot->connected_at);
	values[10] = TimestampTzGetDatum(slot->state_since);
	values[11] = Int64GetDatum(slot->usage.statement_count);
	values[12] = Int32GetDatum(leak->session_count);
	values[13] = Int32GetDatum(leak->leaked_count);
	if (is_group)
		nulls[3] = nulls[4] = nulls[5] = nulls[9] = nulls[10] = nulls[11] = true;
	put_holdings(&values[14], &nulls[14], leak);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* pgvalet.leak_rows(): sessions and groups with a score above 0. */
Datum
pgvalet_leak_rows(PG_FUNCTION_ARGS)
{
	PgvLeak    *leaks;
	int			count;

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	leaks = pgv_leaks_find(GetCurrentTimestamp(), &count);
	for (int i = 0; i < count; i++)
		put_leak((ReturnSetInfo *) fcinfo->resultinfo, &leaks[i]);
	return (Datum) 0;
}
