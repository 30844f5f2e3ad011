/*-------------------------------------------------------------------------
 *
 * enforce.c
 *	  Carries out in a backend what the collector has decided about its session.
 *
 * extension/src/backend/enforce.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include <signal.h>

#include "access/xact.h"
#include "backend/activity.h"
#include "backend/enforce.h"
#include "backend/listening.h"
#include "backend/resources.h"
#include "libpq/libpq.h"
#include "libpq/pqsignal.h"
#include "pgstat.h"
#include "policy/policy_settings.h"
#include "policy/policy_table.h"
#include "policy/verdict.h"
#include "replication/syncrep.h"
#include "stats/backend_slot.h"
#include "stats/event_log.h"
#include "stats/session_end.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/pquery.h"
#include "utils/elog.h"
#include "utils/errcodes.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/*
 * A verdict that waits for the end of a command is made again at least once a
 * second while it holds; an older one is none any more.
 */
#define AGE_VERDICT_VALID_US INT64CONST(3000000)

/* The server's own words, which ours take the place of. */
#define SERVER_CANCEL_MESSAGE "canceling statement due to user request"

/* What we are carrying out; action means something if is_obeying. */
static PgvVerdict obeyed;
static volatile sig_atomic_t is_obeying = false;

volatile sig_atomic_t pgv_enforce_cancel_outcome = PGV_CANCEL_NONE;

/* The end was told in our words, so it was the verdict's. */
static bool end_was_told = false;

static emit_log_hook_type prev_emit_log = NULL;

/*
 * Whether we send the end of an answer and its client does not read it: without
 * a way out of this a session could wait as long as it likes.
 */
static bool
is_stuck(void)
{
	return !pq_is_reading_msg() && pq_is_send_pending();
}

/*
 * Whether we simply wait for a command.  While a message is being read the
 * server has not begun to treat it, and looks at the flags before it does.
 */
static bool
is_waiting(void)
{
	/* In the middle of publishing. */
	if (pg_atomic_read_u32(&pgv_my_slot->change_count) & 1)
		return false;
	return !pgv_activity_command_came() && (pq_is_reading_msg() || is_stuck());
}

/*
 * Whether we wait for the next message of a command, and did so at that time.  A
 * COPY reads its data inside a portal.
 */
static bool
is_waiting_inside_command(TimestampTz since)
{
	return pgv_activity_command_came() && pq_is_reading_msg() && ActivePortal == NULL &&
		GetCurrentStatementStartTimestamp() <= since;
}

/* Whether we are in the situation that the verdict was made for. */
static bool
still_holds(const PgvVerdict *verdict)
{
	if (verdict->rule_state == PGV_RULE_SESSION_AGE)
		return is_waiting() && pgv_my_slot->state == PGV_STATE_IDLE &&
			verdict->state_since == pgv_my_slot->state_since;
	/*
	 * A commit that waits for a synchronous standby would be acknowledged instead,
	 * as the server's own timeout for statements knows.  A cancellation while the
	 * next message is awaited would be lost.
	 */
	if (verdict->rule_state == PGV_RULE_ACTIVE)
		return pgv_activity_command_came() && MyProc->syncRepState == SYNC_REP_NOT_WAITING &&
			verdict->since == GetCurrentStatementStartTimestamp() &&
			(verdict->action != PGV_ACTION_CANCEL || !is_waiting_inside_command(verdict->made_at));
	if (verdict->state == PGV_STATE_ACTIVE)
		return is_waiting_inside_command(verdict->since);
	return is_waiting() &&
		verdict->state == pgv_my_slot->state && verdict->since == pgv_my_slot->state_since;
}

/*
 * Raises the server's own flags.  It ignores those of its timeouts if they are
 * off, so that is set as well: this session has nothing left to do with it.  And
 * it does not look at them while it cannot go on sending.
 */
static void
raise_flags(const PgvVerdict *verdict, bool cannot_send)
{
	if (verdict->action == PGV_ACTION_CANCEL)
		QueryCancelPending = true;
	else if (verdict->rule_state == PGV_RULE_ACTIVE || cannot_send)
	{
		ProcDiePending = true;
		pgStatSessionEndCause = DISCONNECT_KILLED;
	}
	else if (verdict->rule_state == PGV_RULE_SESSION_AGE || verdict->state == PGV_STATE_IDLE)
	{
		if (IdleSessionTimeout <= 0)
			IdleSessionTimeout = 1;
		IdleSessionTimeoutPending = true;
	}
	else
	{
		if (IdleInTransactionSessionTimeout <= 0)
			IdleInTransactionSessionTimeout = 1;
		IdleInTransactionSessionTimeoutPending = true;
	}
	InterruptPending = true;
	SetLatch(MyLatch);
}

static void
obey(const PgvVerdict *verdict, bool cannot_send)
{
	obeyed = *verdict;
	is_obeying = true;
	if (verdict->action == PGV_ACTION_END)
		pgv_end_by_rule(verdict->rule_name);
	else
	{
		pgv_enforce_cancel_outcome = PGV_CANCEL_OPEN;
		pg_atomic_fetch_or_u32(&pgv_my_slot->at_ready, PGV_AT_READY_CANCELLED);
	}
	raise_flags(verdict, cannot_send);
}

/* Obeys a verdict of this kind, if there is one that holds. */
static void
look_at_verdict(PgvVerdictKind kind)
{
	PgvVerdict	verdict;

	/* Nothing comes after an end. */
	if (is_obeying && obeyed.action == PGV_ACTION_END)
		return;
	if (!pgv_verdict_read(pgv_my_backend_index(), kind, &verdict) ||
		verdict.pid != MyProcPid || !still_holds(&verdict))
		return;
	obey(&verdict, is_stuck());
}

/* The collector has decided something.  This may have interrupted anything. */
static void
verdict_handler(SIGNAL_ARGS)
{
	int			save_errno = errno;

	if (pgv_my_slot != NULL && !proc_exit_inprogress)
	{
		look_at_verdict(PGV_VERDICT_STATE);
		look_at_verdict(PGV_VERDICT_AGE);
	}
	errno = save_errno;
}

void
pgv_enforce_start(void)
{
	/* The server leaves SIGUSR2 unused in client backends. */
	pqsignal(SIGUSR2, verdict_handler);
}

/* Takes one bit; returns whether it was set. */
static bool
take_bit(uint32 bit)
{
	return (pg_atomic_fetch_and_u32(&pgv_my_slot->at_ready, ~bit) & bit) != 0;
}

/* Makes an event of what a rule did to us, and counts it. */
static void
record(PgvEventKind kind, const PgvVerdict *verdict, TimestampTz now)
{
	PgvEvent	event = {.kind = kind};

	pgv_event_describe(&event, pgv_my_slot);
	strlcpy(event.rule_name, verdict->rule_name, sizeof(event.rule_name));
	pgv_event_add(&event, "%s for " INT64_FORMAT " ms",
				  verdict->rule_state == PGV_RULE_SESSION_AGE ?
				  "connected" : pgv_rule_state_names[verdict->rule_state],
				  (int64) (now - verdict->since) / 1000);
	pgv_policy_count(verdict->rule_serial, verdict->action, false);
}

/* What a session in this situation should have done instead. */
static const char *
advice(const PgvVerdict *verdict)
{
	switch (verdict->rule_state)
	{
		case PGV_RULE_ACTIVE:
			return "Make the statement faster, or do it in parts";
		case PGV_RULE_SESSION_AGE:
			return "Let the connection pool close connections before this age";
		case PGV_RULE_IDLE:
			return "Close connections that are not used, or use a connection pool";
		default:
			return "Commit or roll back before waiting";
	}
}

/* The hint of a message, with whom to ask. */
static char *
hint_for(const PgvVerdict *verdict)
{
	char		contact[PGV_CONTACT_BYTES];

	pgv_verdict_copy_contact(contact);
	if (verdict->is_setting)
		return psprintf("%s; sessions cannot change %s.%s%s", advice(verdict),
						verdict->rule_name, contact[0] != '\0' ? " " : "", contact);
	return psprintf("%s. %s", advice(verdict), contact[0] != '\0' ? contact :
					"Ask the administrator of the server about the rule.");
}

/* What the session did for too long, without the time. */
static const char *
what_it_did(const PgvVerdict *verdict)
{
	switch (verdict->rule_state)
	{
		case PGV_RULE_ACTIVE:
			return "worked on a statement";
		case PGV_RULE_SESSION_AGE:
			return "was connected";
		case PGV_RULE_IDLE:
			return "waited for a command outside a transaction";
		default:
			return "waited for a command inside a transaction";
	}
}

static char *
detail_for(const PgvVerdict *verdict)
{
	if (verdict->is_setting)
		return psprintf("The session %s for " INT64_FORMAT " ms.", what_it_did(verdict),
						verdict->allowed_us / 1000);
	return psprintf("The session %s for " INT64_FORMAT " ms; the rule allows " INT64_FORMAT " ms.",
					what_it_did(verdict), (int64) (GetCurrentTimestamp() - verdict->since) / 1000,
					verdict->allowed_us / 1000);
}

/* Sends a warning.  Its line in the log was written when it was due. */
static void
warn_client(void)
{
	PgvVerdict	verdict;

	if (!pgv_verdict_read(pgv_my_backend_index(), PGV_VERDICT_WARNING, &verdict) ||
		verdict.pid != MyProcPid)
		return;
	/*
	 * A cancellation would hit the report of a command that is over.  Who does not
	 * read it can be ended.
	 */
	HOLD_CANCEL_INTERRUPTS();
	ereport(WARNING_CLIENT_ONLY,
			(errmsg("rule \"%s\" of pgvalet.idle_policy warns this session", verdict.rule_name),
			 errdetail("%s%s", detail_for(&verdict), verdict.end_after_us == 0 ? "" :
					   psprintf(" Sessions are ended after " INT64_FORMAT " ms.",
								verdict.end_after_us / 1000)),
			 errhint("%s", hint_for(&verdict))));
	RESUME_CANCEL_INTERRUPTS();
}

/* What happened since the collector looked: the last command may have brought it. */
static bool
is_spared(const PgvVerdict *verdict)
{
	return (verdict->spares_listeners && pgv_my_slot->is_listening) ||
		(verdict->spares_advisory_locks && pgv_resources_holds_advisory_lock());
}

/* Ends an old session that is idle only for moments, between two commands. */
static void
end_for_age(void)
{
	PgvVerdict	verdict;

	/* One that is old does not hold; if it has to, the collector makes it again. */
	if (pgv_verdict_read(pgv_my_backend_index(), PGV_VERDICT_AGE, &verdict) &&
		verdict.pid == MyProcPid && verdict.generation == pgv_policy_generation() &&
		pgv_my_slot->state_since - verdict.made_at < AGE_VERDICT_VALID_US &&
		!is_spared(&verdict) &&
		!(is_obeying && obeyed.action == PGV_ACTION_END))
		obey(&verdict, false);
}

/* The command is over.  Was it cancelled? */
static void
close_cancel(void)
{
	PgvCancelOutcome outcome = pgv_enforce_cancel_outcome;

	pgv_enforce_cancel_outcome = PGV_CANCEL_NONE;
	if (outcome != PGV_CANCEL_TOLD && outcome != PGV_CANCEL_CAUGHT)
		return;
	record(PGV_EVENT_POLICY_CANCELLED, &obeyed, pgv_my_slot->state_since);
	if (outcome == PGV_CANCEL_CAUGHT)
		ereport(LOG_SERVER_ONLY,
				(errmsg("canceled statement due to rule \"%s\" of pgvalet.idle_policy, and a function caught the error",
						obeyed.rule_name)));
}

void
pgv_enforce_at_ready(char transaction_status)
{
	if (take_bit(PGV_AT_READY_WARNING))
		warn_client();
	if (take_bit(PGV_AT_READY_CANCELLED))
		close_cancel();
	/* The others have to wait for the end of the transaction. */
	if (transaction_status != 'I')
		return;
	if (take_bit(PGV_AT_READY_CHANNELS))
		pgv_listening_look();
	if (take_bit(PGV_AT_READY_AGE))
		end_for_age();
}

void
pgv_enforce_end(void)
{
	/* The client may have gone at the same moment; without a log there are no words of ours. */
	if (is_obeying && obeyed.action == PGV_ACTION_END &&
		(end_was_told || log_min_messages > FATAL))
		record(PGV_EVENT_POLICY_ENDED, &obeyed, GetCurrentTimestamp());
}

/* Whether this message is about what we carry out. */
static bool
is_about_verdict(const ErrorData *edata)
{
	if (!is_obeying)
		return false;
	if (obeyed.action == PGV_ACTION_CANCEL)
		return edata->elevel == ERROR && edata->sqlerrcode == ERRCODE_QUERY_CANCELED &&
			edata->message_id != NULL && strcmp(edata->message_id, SERVER_CANCEL_MESSAGE) == 0 &&
			obeyed.since == GetCurrentStatementStartTimestamp();
	if (edata->elevel != FATAL)
		return false;
	return edata->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN ||
		edata->sqlerrcode == ERRCODE_IDLE_SESSION_TIMEOUT ||
		edata->sqlerrcode == ERRCODE_IDLE_IN_TRANSACTION_SESSION_TIMEOUT;
}

/* emit_log hook: names the rule, in log and client. */
static void
pgv_emit_log(ErrorData *edata)
{
	bool		is_ours = is_about_verdict(edata);

	/* What ends a statement takes the flag of a cancellation down. */
	if (!is_ours && edata->elevel >= ERROR)
		pgv_enforce_cancel_outcome = PGV_CANCEL_NONE;
	if (is_ours)
	{
		MemoryContext old_context = MemoryContextSwitchTo(edata->assoc_context);
		const char *doing = obeyed.action == PGV_ACTION_CANCEL ?
			"canceling statement" : "terminating connection";

		edata->message = obeyed.is_setting ?
			psprintf("%s due to %s", doing, obeyed.rule_name) :
			psprintf("%s due to rule \"%s\" of pgvalet.idle_policy", doing, obeyed.rule_name);
		edata->detail = detail_for(&obeyed);
		edata->hint = hint_for(&obeyed);
		MemoryContextSwitchTo(old_context);
		if (obeyed.action == PGV_ACTION_END)
			end_was_told = true;
		else
			pgv_enforce_cancel_outcome = PGV_CANCEL_TOLD;
	}
	if (prev_emit_log)
		prev_emit_log(edata);
}

void
pgv_enforce_install(void)
{
	prev_emit_log = emit_log_hook;
	emit_log_hook = pgv_emit_log;
}
