/*-------------------------------------------------------------------------
 *
 * session_end.c
 *	  How a session ends, as far as its own backend knows it.
 *
 * extension/src/stats/session_end.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "pgstat.h"
#include "stats/backend_slot.h"
#include "stats/session_end.h"
#include "utils/errcodes.h"
#include "utils/timestamp.h"

/* Of PostgreSQL 17 and later. */
#define TRANSACTION_TIMEOUT_ERRCODE MAKE_SQLSTATE('2', '5', 'P', '0', '4')

const char *const pgv_end_cause_names[PGV_END_CAUSES] = {
	[PGV_END_CLIENT] = "client",
	[PGV_END_ABANDONED] = "abandoned",
	[PGV_END_KILLED] = "killed",
	[PGV_END_POLICY] = "policy",
	[PGV_END_ERROR] = "error",
	[PGV_END_CRASH] = "crash",
};

/* The rule that ends us, "" = none. */
static char ending_rule[NAMEDATALEN] = "";

/* Our FATAL error, 0 = none. */
static int	ending_sqlerrcode = 0;

void
pgv_end_by_rule(const char *rule_name)
{
	strlcpy(ending_rule, rule_name, sizeof(ending_rule));
}

const char *
pgv_end_rule(void)
{
	return ending_rule;
}

void
pgv_end_by_error(int sqlerrcode)
{
	ending_sqlerrcode = sqlerrcode;
}

/* The server's own setting that ends sessions with this error, or "". */
static const char *
rule_of_error(int sqlerrcode)
{
	switch (sqlerrcode)
	{
		case ERRCODE_IDLE_SESSION_TIMEOUT:
			return "idle_session_timeout";
		case ERRCODE_IDLE_IN_TRANSACTION_SESSION_TIMEOUT:
			return "idle_in_transaction_session_timeout";
		case TRANSACTION_TIMEOUT_ERRCODE:
			return "transaction_timeout";
		default:
			return "";
	}
}

/*
 * The server keeps the cause for pg_stat_database.  It knows a client that
 * vanished only when it reads from it; one that vanished while it was written to
 * is an error of its own.
 */
static PgvEndCause
cause_of_end(const char *rule)
{
	if (rule[0] != '\0')
		return PGV_END_POLICY;
	switch (pgStatSessionEndCause)
	{
		case DISCONNECT_CLIENT_EOF:
			return PGV_END_ABANDONED;
		case DISCONNECT_KILLED:
			return PGV_END_KILLED;
		case DISCONNECT_FATAL:
			if (ending_sqlerrcode == ERRCODE_CONNECTION_FAILURE)
				return PGV_END_ABANDONED;
			return PGV_END_ERROR;
		default:
			return PGV_END_CLIENT;
	}
}

void
pgv_end_describe(PgvBackendSlot *slot)
{
	const char *rule = ending_rule[0] != '\0' ? ending_rule : rule_of_error(ending_sqlerrcode);
	PgvEndCause cause = cause_of_end(rule);
	TimestampTz now = GetCurrentTimestamp();

	pgv_slot_begin_write(slot);
	slot->ended_at = now;
	slot->how_ended = cause;
	slot->end_sqlerrcode = ending_sqlerrcode;
	strlcpy(slot->end_rule, rule, sizeof(slot->end_rule));
	pgv_slot_end_write(slot);
}
