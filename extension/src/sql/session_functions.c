/*-------------------------------------------------------------------------
 *
 * session_functions.c
 *	  Functions under pgvalet.sessions; sql/parts/40_sessions.sql declares them.
 *
 * extension/src/sql/session_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "catalog/pg_authid.h"
#include "sql/sql_common.h"
#include "stats/aggregate.h"
#include "stats/ended_sessions.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pgvalet_ended_sessions);

/* Columns before the counters. */
#define OWN_COLUMNS 16

/* Returns one row of pgvalet.ended_sessions(). */
static void
put_session(ReturnSetInfo *result, const PgvEndedSession *session)
{
	Datum		values[OWN_COLUMNS + PGV_USAGE_COUNTERS] = {0};
	bool		nulls[OWN_COLUMNS + PGV_USAGE_COUNTERS] = {0};

	values[0] = Int64GetDatum(session->sequence);
	values[1] = Int32GetDatum(session->pid);
	pgv_put_oid(&values[2], &nulls[2], session->database_id);
	pgv_put_oid(&values[3], &nulls[3], session->role_id);
	values[4] = CStringGetTextDatum(session->application_name);
	pgv_put_inet(&values[5], &nulls[5], session->client_addr);
	values[6] = Int32GetDatum(session->client_port);
	pgv_put_text(&values[7], &nulls[7], session->agent_name);
	values[8] = TimestampTzGetDatum(session->connected_at);
	values[9] = TimestampTzGetDatum(session->ended_at);
	values[10] = CStringGetTextDatum(pgv_end_cause_names[session->how_ended]);
	pgv_put_text(&values[11], &nulls[11], session->end_rule);
	nulls[12] = session->end_sqlerrcode == 0;
	if (!nulls[12])
		values[12] = CStringGetTextDatum(unpack_sql_state(session->end_sqlerrcode));
	values[13] = Int64GetDatum(session->login_us);
	values[14] = Int64GetDatum(session->cpu_user_us);
	values[15] = Int64GetDatum(session->cpu_system_us);
	pgv_put_usage(&values[OWN_COLUMNS], &session->usage);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * pgvalet.ended_sessions(): the sessions that the caller may see, as in
 * pgvalet.backend_rows().
 */
Datum
pgvalet_ended_sessions(PG_FUNCTION_ARGS)
{
	bool		sees_all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
	PgvEndedSession *sessions;
	int			count;

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	/* The collector may not have come to the last of them. */
	pgv_aggregate_fold_all();
	sessions = pgv_ended_sessions_read(&count);
	for (int i = 0; i < count; i++)
	{
		if (sees_all || has_privs_of_role(GetUserId(), sessions[i].role_id))
			put_session((ReturnSetInfo *) fcinfo->resultinfo, &sessions[i]);
	}
	return (Datum) 0;
}
