/*-------------------------------------------------------------------------
 *
 * rule_act.c
 *	  Carries out what a rule says about a session, as far as the collector can.
 *
 * extension/src/policy/rule_act.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include <signal.h>

#include "policy/policy_settings.h"
#include "policy/policy_table.h"
#include "policy/rule_act.h"
#include "policy/rule_match.h"
#include "stats/event_log.h"

/* A backend that does not obey is told again: soon, and later not so often. */
#define POKE_AGAIN_MS 50
#define POKE_OFTEN_TIMES 20
#define POKE_SELDOM_MS 1000

/* "idle in transaction for 5000 ms", "connected for ..." */
static char *
describe_situation(const PgvSituation *situation, TimestampTz now)
{
	return psprintf("%s for " INT64_FORMAT " ms",
					situation->state == PGV_RULE_SESSION_AGE ?
					"connected" : pgv_rule_state_names[situation->state],
					(int64) (now - situation->since) / 1000);
}

/* Counts an act and makes it an event. */
static void
record(const PgvSituation *situation, PgvAction action, bool is_dry_run, TimestampTz now)
{
	static const PgvEventKind kinds[PGV_ACTIONS] = {
		[PGV_ACTION_LOG] = PGV_EVENT_POLICY_LOGGED,
		[PGV_ACTION_WARN] = PGV_EVENT_POLICY_WARNED,
		[PGV_ACTION_CANCEL] = PGV_EVENT_POLICY_CANCELLED,
		[PGV_ACTION_END] = PGV_EVENT_POLICY_ENDED,
	};
	PgvEvent	event = {.kind = kinds[action], .is_dry_run = is_dry_run};

	pgv_event_describe(&event, situation->slot);
	strlcpy(event.rule_name, situation->rule->name, sizeof(event.rule_name));
	pgv_event_add(&event, "%s", describe_situation(situation, now));
	pgv_policy_count(situation->rule->serial, action, is_dry_run);
}

/* A line in the server log. */
static void
write_log(const PgvSituation *situation, TimestampTz now)
{
	const PgvBackendSlot *slot = situation->slot;
	const PgvIdentity *identity =
		pgv_identity_cached(slot->role_id, slot->database_id);

	ereport(LOG,
			(errmsg("session %d has been %s (rule \"%s\" of pgvalet.idle_policy)",
					slot->pid, describe_situation(situation, now), situation->rule->name),
			 errdetail("Role \"%s\", database \"%s\", application \"%s\", client %s.",
					   NameStr(identity->role_names[0]), identity->database_name,
					   slot->application_name,
					   slot->client_addr[0] != '\0' ? slot->client_addr : "[local]")));
}

static void
write_verdict(const PgvSituation *situation, PgvVerdictKind kind, PgvAction action,
			  TimestampTz now)
{
	const PgvRule *rule = situation->rule;
	PgvVerdict	verdict = {0};

	verdict.pid = situation->slot->pid;
	verdict.action = action;
	verdict.state = situation->slot->state;
	verdict.rule_state = situation->state;
	verdict.generation = pgv_policy_generation();
	verdict.made_at = now;
	verdict.since = situation->since;
	verdict.state_since = situation->slot->state_since;
	verdict.allowed_us = rule->after_us[action];
	verdict.end_after_us = rule->after_us[PGV_ACTION_END];
	verdict.rule_serial = rule->serial;
	verdict.is_setting = rule->is_setting;
	verdict.spares_advisory_locks = rule->spares_advisory_locks;
	verdict.spares_listeners = rule->spares_listeners;
	strlcpy(verdict.rule_name, rule->name, sizeof(verdict.rule_name));
	pgv_verdict_write(situation->index, kind, &verdict);
}

/* The bits for the backend's next ReadyForQuery; see backend_slot.h. */
static void
ask_at_ready(const PgvSituation *situation, uint32 bits)
{
	pg_atomic_fetch_or_u32(&pgv_slots->slots[situation->index].slot.at_ready, bits);
}

/* Lets the backend cancel or end, now and again until the situation is over. */
static void
poke(const PgvSituation *situation, PgvAction action, TimestampTz now)
{
	PgvProgress   *progress = situation->progress;
	int			again_ms = progress->poke_count < POKE_OFTEN_TIMES ? POKE_AGAIN_MS : POKE_SELDOM_MS;

	/* A statement that goes on may be in the middle of cleaning up. */
	if (action == PGV_ACTION_CANCEL)
		again_ms = POKE_SELDOM_MS;

	pgv_verdict_publish_contact();
	if (situation->state == PGV_RULE_SESSION_AGE)
	{
		write_verdict(situation, PGV_VERDICT_AGE, action, now);
		ask_at_ready(situation, PGV_AT_READY_AGE);
	}
	else
		write_verdict(situation, PGV_VERDICT_STATE, action, now);
	kill(situation->slot->pid, SIGUSR2);
	progress->poke_count++;
	progress->not_before = now + again_ms * INT64CONST(1000);
}

void
pgv_rule_act(const PgvSituation *situation, PgvAction action, TimestampTz now)
{
	situation->progress->done |= 1U << action;
	if (pgv_rule_is_dry_run(situation->rule))
	{
		record(situation, action, true, now);
		return;
	}

	if (action == PGV_ACTION_CANCEL || action == PGV_ACTION_END)
	{
		/* The backend records it, when it has happened. */
		poke(situation, action, now);
		return;
	}
	if (action == PGV_ACTION_WARN)
	{
		pgv_verdict_publish_contact();
		write_verdict(situation, PGV_VERDICT_WARNING, action, now);
		ask_at_ready(situation, PGV_AT_READY_WARNING);
	}
	write_log(situation, now);
	record(situation, action, false, now);
}
