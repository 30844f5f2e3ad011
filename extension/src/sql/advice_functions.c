/*-------------------------------------------------------------------------
 *
 * advice_functions.c
 *	  What pgvalet.advice asks that no view shows; sql/parts/95_advice.sql
 *	  declares it.
 *
 * extension/src/sql/advice_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "policy/policy_settings.h"
#include "policy/policy_table.h"
#include "policy/rule_match.h"
#include "sql/sql_common.h"
#include "utils/guc.h"

PG_FUNCTION_INFO_V1(pgvalet_idle_in_transaction_limit);

/* Whether a rule asks for nothing but the state: it is for whoever is in it. */
static bool
is_for_all(const PgvRule *rule)
{
	const PgvMatch *match = &rule->match;

	return match->role_name[0] == '\0' && match->database_name[0] == '\0' &&
		(!match->has_pattern || strcmp(match->application_pattern, "%") == 0) &&
		rule->is_agent == PGV_WANTED_ANY && rule->is_local == PGV_WANTED_ANY &&
		rule->network_family == 0 && rule->min_used_share <= 0;
}

/*
 * After how long the policy ends a session of which nothing is known, 0 = never:
 * what the first rule does that is for all and not only tried, because no later
 * one is looked at.
 */
static int64
limit_of_policy_us(void)
{
	PgvRule    *rules = palloc((PGV_MAX_RULES + PGV_SETTINGS_RULES) * sizeof(PgvRule));
	int			count = pgv_policy_copy_rules(rules, NULL);

	count += pgv_rules_of_settings(&rules[count]);
	for (int i = 0; i < count; i++)
	{
		const PgvRule *rule = &rules[i];

		if (rule->state == PGV_RULE_IDLE_IN_TRANSACTION && is_for_all(rule) &&
			!pgv_rule_is_dry_run(rule))
			return rule->after_us[PGV_ACTION_END];
	}
	return 0;
}

/* The server's own limit as of the start of a session, 0 = none. */
static int64
limit_of_server_us(void)
{
	const char *milliseconds = GetConfigOptionResetString("idle_in_transaction_session_timeout");

	return milliseconds != NULL ? (int64) atoi(milliseconds) * 1000 : 0;
}

/* pgvalet.idle_in_transaction_limit(): the shorter of the two, NULL if there is none. */
Datum
pgvalet_idle_in_transaction_limit(PG_FUNCTION_ARGS)
{
	int64		policy_us;
	int64		server_us;

	pgv_require_preloaded();
	policy_us = limit_of_policy_us();
	server_us = limit_of_server_us();
	if (policy_us == 0 && server_us == 0)
		PG_RETURN_NULL();
	if (policy_us == 0 || (server_us > 0 && server_us < policy_us))
		return pgv_interval(server_us);
	return pgv_interval(policy_us);
}
