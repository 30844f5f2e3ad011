/*-------------------------------------------------------------------------
 *
 * backend_functions.c
 *	  Functions under pgvalet.backends; sql/parts/10_backends.sql declares them.
 *
 * extension/src/sql/backend_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/transam.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "session/session_pins.h"
#include "sql/sql_common.h"
#include "stats/agent_clients.h"
#include "stats/backend_query.h"
#include "stats/backend_sample.h"
#include "stats/backend_slot.h"
#include "stats/holdings.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

PG_FUNCTION_INFO_V1(pgvalet_backend_slots);
PG_FUNCTION_INFO_V1(pgvalet_backend_rows);

/* Columns in groups: who it is, counters, what the session carries, ... */
#define IDENTITY_COLUMNS 11
#define SESSION_COLUMNS 5
#define OLD_COLUMNS (IDENTITY_COLUMNS + PGV_USAGE_COUNTERS + SESSION_COLUMNS)

/* ... what it holds, what it waits for, what it runs, who is behind it. */
#define HOLDINGS_COLUMNS 7
#define WAIT_COLUMNS (2 + PGV_WAIT_CLASSES)
#define QUERY_COLUMNS 2
#define CLIENT_COLUMNS 5
#define COLUMNS (OLD_COLUMNS + HOLDINGS_COLUMNS + WAIT_COLUMNS + QUERY_COLUMNS + CLIENT_COLUMNS)

/* What is read once for all rows. */
typedef struct PgvBackendReading
{
	TransactionId next_xid;
	const PgvBackendSample *samples;
	const PgvAgentClient *clients;
} PgvBackendReading;

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

static void
put_identity(Datum *values, bool *nulls, const PgvBackendSlot *slot)
{
	values[0] = Int32GetDatum(slot->pid);
	values[1] = ObjectIdGetDatum(slot->database_id);
	values[2] = ObjectIdGetDatum(slot->role_id);
	values[3] = CStringGetTextDatum(slot->application_name);
	pgv_put_inet(&values[4], &nulls[4], slot->client_addr);
	values[5] = Int32GetDatum(slot->client_port);
	pgv_put_text(&values[6], &nulls[6], slot->agent_name);
	values[7] = CStringGetTextDatum(state_name(slot->state));
	values[8] = TimestampTzGetDatum(slot->state_since);
	values[9] = TimestampTzGetDatum(slot->connected_at);
	values[10] = Int64GetDatum(slot->login_us);
}

/* What the session carries. */
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

/* What it holds: memory, CPU time, locks, old row versions. */
static void
put_holdings(Datum *values, bool *nulls, const PgvBackendSlot *slot,
			 const PgvBackendSample *sample, int32 age)
{
	values[0] = Int64GetDatum(slot->memory_bytes);
	pgv_put_time(&values[1], &nulls[1], slot->memory_sampled_at);
	nulls[0] = nulls[1];
	values[2] = Int64GetDatum(sample->cpu_user_us);
	values[3] = Int64GetDatum(sample->cpu_system_us);
	pgv_put_time(&values[4], &nulls[4], sample->sampled_at);
	nulls[2] = nulls[3] = nulls[4];
	values[5] = Int32GetDatum(slot->locks_held);
	values[6] = Int32GetDatum(age);
	nulls[6] = (age < 0);
}

/* What it waits for now, and what it waited for while it worked. */
static void
put_waits(Datum *values, bool *nulls, uint32 wait_event, const PgvBackendSample *sample)
{
	const char *type = pgstat_get_wait_event_type(wait_event);
	const char *event = pgstat_get_wait_event(wait_event);

	pgv_put_text(&values[0], &nulls[0], type != NULL ? type : "");
	pgv_put_text(&values[1], &nulls[1], event != NULL ? event : "");
	for (int i = 0; i < PGV_WAIT_CLASSES; i++)
		values[2 + i] = Int64GetDatum(sample->class_us[i]);
}

static void
put_query(Datum *values, bool *nulls, const PgvBackendSlot *slot)
{
	PgvBackendQuery query = pgv_backend_query(slot);

	values[0] = Int64GetDatum(query.query_id);
	nulls[0] = (query.query_id == 0);
	pgv_put_text(&values[1], &nulls[1], query.text);
}

/* The client behind an agent's connection; all NULL if there is none. */
static void
put_client(Datum *values, bool *nulls, const PgvBackendSlot *slot, const PgvAgentClient *client)
{
	bool		is_told = (client->connected_at == slot->connected_at && slot->agent_name[0] != '\0');

	if (!is_told)
	{
		memset(nulls, true, CLIENT_COLUMNS * sizeof(bool));
		return;
	}
	pgv_put_inet(&values[0], &nulls[0], client->client_addr);
	values[1] = Int32GetDatum(client->client_port);
	values[2] = CStringGetTextDatum(client->application_name);
	pgv_put_time(&values[3], &nulls[3], client->leased_since);
	nulls[1] = nulls[2] = nulls[3];
	pgv_put_time(&values[4], &nulls[4], client->reported_at);
}

/* The columns that version 1.0 has. */
static void
put_old_columns(Datum *values, bool *nulls, const PgvBackendSlot *slot, TimestampTz now)
{
	PgvUsage	usage = slot->usage;
	int			at = IDENTITY_COLUMNS;

	put_identity(values, nulls, slot);
	pgv_slot_add_running_time(slot, &usage, now);
	pgv_put_usage(&values[at], &usage);
	at += PGV_USAGE_COUNTERS;
	put_session(&values[at], &nulls[at], slot);
}

/* The columns behind them. */
static void
put_new_columns(Datum *values, bool *nulls, const PgvBackendSlot *slot, int index,
				const PgvBackendReading *reading)
{
	static const PgvBackendSample no_sample = {0};
	const PGPROC *proc = GetPGProcByNumber(index);
	const PgvBackendSample *sample = &reading->samples[index];
	int			at = OLD_COLUMNS;

	if (sample->connected_at != slot->connected_at)
		sample = &no_sample;
	put_holdings(&values[at], &nulls[at], slot, sample, pgv_xmin_age(proc, reading->next_xid));
	at += HOLDINGS_COLUMNS;
	put_waits(&values[at], &nulls[at], *(const volatile uint32 *) &proc->wait_event_info, sample);
	at += WAIT_COLUMNS;
	put_query(&values[at], &nulls[at], slot);
	at += QUERY_COLUMNS;
	put_client(&values[at], &nulls[at], slot, &reading->clients[index]);
}

/*
 * Returns the connected backends that the caller may see, which are all for
 * pg_read_all_stats, and those of roles it has the privileges of; with the new
 * columns only if there is a reading.
 */
static void
put_backends(ReturnSetInfo *result, const PgvBackendReading *reading)
{
	bool		sees_all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
	TimestampTz now = GetCurrentTimestamp();
	PgvBackendSlot slot;

	for (int i = 0; i < MaxBackends; i++)
	{
		Datum		values[COLUMNS] = {0};
		bool		nulls[COLUMNS] = {0};

		if (!pgv_slot_copy(i, &slot) || slot.phase != PGV_SLOT_LIVE)
			continue;
		if (!sees_all && !has_privs_of_role(GetUserId(), slot.role_id))
			continue;
		put_old_columns(values, nulls, &slot, now);
		if (reading != NULL)
			put_new_columns(values, nulls, &slot, i, reading);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* pgvalet.backend_rows(). */
Datum
pgvalet_backend_rows(PG_FUNCTION_ARGS)
{
	PgvBackendReading reading;

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	reading.next_xid = ReadNextTransactionId();
	reading.samples = pgv_backend_samples_copy();
	reading.clients = pgv_agent_clients_copy();
	put_backends((ReturnSetInfo *) fcinfo->resultinfo, &reading);
	return (Datum) 0;
}

/* pgvalet.backend_slots(), which was in version 1.0. */
Datum
pgvalet_backend_slots(PG_FUNCTION_ARGS)
{
	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	put_backends((ReturnSetInfo *) fcinfo->resultinfo, NULL);
	return (Datum) 0;
}
