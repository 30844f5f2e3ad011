/*-------------------------------------------------------------------------
 *
 * policy_for_function.c
 *	  pgvalet.policy_for(pid): which rule is for a session, why, and when it fires.
 *
 * The same functions decide it as in the collector (policy/rule_match.h).
 *
 * extension/src/sql/policy_for_function.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "policy/advisory_locks.h"
#include "policy/identity.h"
#include "policy/policy_settings.h"
#include "policy/policy_table.h"
#include "policy/rule_match.h"
#include "policy/verdict.h"
#include "sql/sql_common.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pgvalet_policy_for);

#define POLICY_FOR_COLUMNS 8

/* What is asked about. */
typedef struct PgvQuestion
{
	int			index;			/* place of the slot */
	PgvBackendSlot slot;
	PgvIdentity identity;
	double		used_share;
	PgvRule    *rules;			/* in force, settings last */
	int			rule_count;
	ReturnSetInfo *result;
} PgvQuestion;

/* One row of the answer; NULL and 0 where there is nothing to say. */
typedef struct PgvAnswer
{
	PgvRuleState state;
	bool		is_present;
	const PgvRule *rule;
	const char *reason;
	const char *action;
	int64		after_us;
	TimestampTz fires_at;
	const char *remark;
} PgvAnswer;

static void
put_answer(const PgvQuestion *question, const PgvAnswer *answer)
{
	Datum		values[POLICY_FOR_COLUMNS] = {0};
	bool		nulls[POLICY_FOR_COLUMNS] = {0};

	values[0] = CStringGetTextDatum(pgv_rule_state_names[answer->state]);
	values[1] = BoolGetDatum(answer->is_present);
	pgv_put_text(&values[2], &nulls[2], answer->rule ? answer->rule->name : "");
	pgv_put_text(&values[3], &nulls[3], answer->reason ? answer->reason : "");
	pgv_put_text(&values[4], &nulls[4], answer->action ? answer->action : "");
	values[5] = pgv_interval(answer->after_us);
	nulls[5] = (answer->after_us == 0);
	pgv_put_time(&values[6], &nulls[6], answer->fires_at);
	pgv_put_text(&values[7], &nulls[7], answer->remark ? answer->remark : "");
	tuplestore_putvalues(question->result->setResult, question->result->setDesc, values, nulls);
}

/* The conditions of the rule, all of which this session meets. */
static char *
describe_conditions(const PgvRule *rule)
{
	StringInfoData reason;

	initStringInfo(&reason);
	if (rule->match.role_name[0] != '\0')
		appendStringInfo(&reason, "role \"%s\"%s, ", rule->match.role_name,
						 rule->match.includes_members ? " or a member of it" : "");
	if (rule->match.database_name[0] != '\0')
		appendStringInfo(&reason, "database \"%s\", ", rule->match.database_name);
	if (rule->match.has_pattern)
		appendStringInfo(&reason, "application like \"%s\", ", rule->match.application_pattern);
	if (rule->network_family != 0)
		appendStringInfoString(&reason, "client network, ");
	if (rule->is_local != PGV_WANTED_ANY)
		appendStringInfo(&reason, "%s client, ",
						 rule->is_local == PGV_WANTED_YES ? "local" : "remote");
	if (rule->is_agent != PGV_WANTED_ANY)
		appendStringInfo(&reason, "%s connection, ",
						 rule->is_agent == PGV_WANTED_YES ? "agent" : "direct");
	if (rule->min_used_share >= 0)
		appendStringInfo(&reason, "more than %.4g of the connections used, ", rule->min_used_share);
	if (reason.len == 0)
		return pstrdup("every session");
	reason.data[reason.len - 2] = '\0';
	return reason.data;
}

/* Whether the collector has carried out this action for the present situation. */
static bool
was_done(const PgvQuestion *question, const PgvAnswer *answer, PgvAction action, TimestampTz since)
{
	PgvProgressKind kind = PGV_PROGRESS_STATE;
	const PgvProgress *progress;

	if (answer->state == PGV_RULE_SESSION_AGE)
		kind = PGV_PROGRESS_AGE;
	else if (answer->state != pgv_rule_state_of(question->slot.state))
		kind = PGV_PROGRESS_WAIT;
	if (pgv_rule_is_dry_run(answer->rule))
		kind = PGV_PROGRESS_DRY(kind);
	progress = pgv_progress_of(question->index, kind);
	return progress->pid == question->slot.pid && progress->since == since &&
		progress->rule_serial == answer->rule->serial &&
		(progress->done & (1U << action)) != 0;
}

/* Why the session has nothing to fear from its rule, NULL if it has. */
static const char *
why_never(const PgvQuestion *question, const PgvRule *rule)
{
	const char *spared = pgv_rule_spares(rule, &question->slot, &question->identity,
										 rule->spares_advisory_locks &&
										 pgv_is_lock_holder(pgv_advisory_lock_holders(),
															question->slot.pid));

	if (spared != NULL)
		return psprintf("spared: %s", spared);
	for (int action = 0; action < PGV_ACTIONS; action++)
	{
		if (rule->after_us[action] > 0)
			return NULL;
	}
	return "the rule does nothing";
}

/* One row per action of the rule. */
static void
put_actions(const PgvQuestion *question, PgvAnswer *answer, TimestampTz since)
{
	bool		is_dry_run = pgv_rule_is_dry_run(answer->rule);

	for (int action = 0; action < PGV_ACTIONS; action++)
	{
		bool		is_done;

		if (answer->rule->after_us[action] == 0)
			continue;
		is_done = answer->is_present && was_done(question, answer, action, since);
		answer->action = pgv_action_names[action];
		answer->after_us = answer->rule->after_us[action];
		answer->fires_at = answer->is_present && !is_done ? since + answer->after_us : 0;
		if (is_done)
			answer->remark = is_dry_run ? "done, as a dry run" : "done";
		else if (is_dry_run)
			answer->remark = "dry run: nothing will happen";
		else
			answer->remark = answer->is_present ? NULL : "counts from when the session is in this state";
		put_answer(question, answer);
	}
}

/* When the session came into this state, 0 = it is in another one. */
static TimestampTz
in_state_since(const PgvQuestion *question, PgvRuleState state)
{
	const PgvBackendSlot *slot = &question->slot;
	const PgvClientWait *wait = pgv_client_wait_of(question->index);

	if (state == PGV_RULE_SESSION_AGE)
		return slot->connected_at;
	if (state == PGV_RULE_ACTIVE && slot->state == PGV_STATE_ACTIVE)
		return pgv_slot_statement_start(slot);
	if (state == pgv_rule_state_of(slot->state))
		return slot->state_since;
	/* As the collector has seen it last. */
	if (state == PGV_RULE_IDLE_IN_TRANSACTION && slot->state == PGV_STATE_ACTIVE &&
		wait->pid == slot->pid)
		return wait->since;
	return 0;
}

/* The rows for one state and one rule. */
static void
put_rule(const PgvQuestion *question, PgvRuleState state, const PgvRule *rule)
{
	TimestampTz since = in_state_since(question, state);
	PgvAnswer	answer = {.state = state,.is_present = since != 0,.rule = rule};

	if (rule == NULL)
		answer.remark = "no rule matches";
	else
	{
		answer.reason = describe_conditions(rule);
		answer.remark = why_never(question, rule);
	}
	if (answer.remark != NULL)
		put_answer(question, &answer);
	else
		put_actions(question, &answer, since);
}

/* The rows for one state: those of a dry run, and those of the rule that is in force. */
static void
put_state(const PgvQuestion *question, PgvRuleState state)
{
	PgvMatchingRules found = pgv_rules_find(question->rules, question->rule_count, state,
											&question->slot, &question->identity,
											question->used_share);

	if (found.dry != NULL)
		put_rule(question, state, found.dry);
	put_rule(question, state, found.real);
}

/* Fills in everything for the session with this pid; false if there is none. */
static bool
prepare(PgvQuestion *question, int pid)
{
	bool		found = false;
	int			connections = 0;
	PgvBackendSlot slot;

	for (int i = 0; i < MaxBackends; i++)
	{
		if (!pgv_slot_copy(i, &slot) || slot.phase != PGV_SLOT_LIVE)
			continue;
		connections++;
		if (slot.pid != pid)
			continue;
		question->index = i;
		question->slot = slot;
		found = true;
	}
	if (!found)
		return false;
	pgv_identity_look_up(question->slot.role_id, question->slot.database_id, &question->identity);
	question->used_share = pgv_used_share(connections);
	question->rules = palloc((PGV_MAX_RULES + PGV_SETTINGS_RULES) * sizeof(PgvRule));
	question->rule_count = pgv_policy_copy_rules(question->rules, NULL);
	question->rule_count += pgv_rules_of_settings(&question->rules[question->rule_count]);
	return true;
}

/* pgvalet.policy_for(pid): no row if there is no such session. */
Datum
pgvalet_policy_for(PG_FUNCTION_ARGS)
{
	PgvQuestion question = {.result = (ReturnSetInfo *) fcinfo->resultinfo};

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	if (!prepare(&question, PG_GETARG_INT32(0)))
		return (Datum) 0;
	for (PgvRuleState state = 0; state < PGV_RULE_STATES; state++)
		put_state(&question, state);
	return (Datum) 0;
}
