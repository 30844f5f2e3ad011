/*-------------------------------------------------------------------------
 *
 * rule_match.c
 *	  Which rule is for a session, and whether that spares it.
 *
 * extension/src/policy/rule_match.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/settings.h"
#include "policy/policy_settings.h"
#include "policy/rule_match.h"

const char *const pgv_rule_state_names[PGV_RULE_STATES] = {
	[PGV_RULE_IDLE] = "idle",
	[PGV_RULE_IDLE_IN_TRANSACTION] = "idle in transaction",
	[PGV_RULE_IDLE_IN_FAILED_TRANSACTION] = "idle in transaction (aborted)",
	[PGV_RULE_ACTIVE] = "active",
	[PGV_RULE_SESSION_AGE] = "session age",
};

const char *const pgv_action_names[PGV_ACTIONS] = {
	[PGV_ACTION_LOG] = "log",
	[PGV_ACTION_WARN] = "warn",
	[PGV_ACTION_CANCEL] = "cancel",
	[PGV_ACTION_END] = "end",
};

/* A rule that ends sessions after a timeout. */
static PgvRule
rule_of_setting(const char *name, int64 serial, PgvRuleState state, int timeout_ms)
{
	PgvRule		rule;

	memset(&rule, 0, sizeof(rule));
	strlcpy(rule.name, name, sizeof(rule.name));
	rule.serial = serial;
	rule.is_setting = true;
	rule.state = state;
	rule.min_used_share = -1;
	rule.after_us[PGV_ACTION_END] = (int64) timeout_ms * 1000;
	return rule;
}

int
pgv_rules_of_settings(PgvRule *rules)
{
	int			count = 0;

	if (pgv_idle_session_timeout_ms > 0)
	{
		rules[count] = rule_of_setting("pgvalet.idle_session_timeout", PGV_SERIAL_IDLE_SESSION,
									   PGV_RULE_IDLE, pgv_idle_session_timeout_ms);
		if (!pgv_idle_session_includes_agents)
			rules[count].is_agent = PGV_WANTED_NO;
		count++;
	}
	if (pgv_idle_in_transaction_timeout_ms > 0)
	{
		rules[count] = rule_of_setting("pgvalet.idle_in_transaction_timeout",
									   PGV_SERIAL_IDLE_IN_TRANSACTION,
									   PGV_RULE_IDLE_IN_TRANSACTION,
									   pgv_idle_in_transaction_timeout_ms);
		count++;
	}
	return count;
}

PgvRuleState
pgv_rule_state_of(int state)
{
	switch (state)
	{
		case PGV_STATE_ACTIVE:
			return PGV_RULE_ACTIVE;
		case PGV_STATE_IDLE:
			return PGV_RULE_IDLE;
		case PGV_STATE_IDLE_IN_TRANSACTION:
			return PGV_RULE_IDLE_IN_TRANSACTION;
		default:
			return PGV_RULE_IDLE_IN_FAILED_TRANSACTION;
	}
}

double
pgv_used_share(int connections)
{
	return (double) connections / Max(MaxConnections - pgv_reserved_connections(), 1);
}

/* A failed transaction is a transaction: who makes one fail does not get away. */
static bool
state_matches(const PgvRule *rule, PgvRuleState state)
{
	return rule->state == (int) state ||
		(rule->state == PGV_RULE_IDLE_IN_TRANSACTION &&
		 state == PGV_RULE_IDLE_IN_FAILED_TRANSACTION);
}

static bool
is_wanted(int32 wanted, bool fact)
{
	return wanted == PGV_WANTED_ANY || (wanted == PGV_WANTED_YES) == fact;
}

static bool
network_matches(const PgvRule *rule, const char *client_addr)
{
	uint8		address[16];
	int			bytes = rule->network_bits / 8;
	int			bits = rule->network_bits % 8;

	if (rule->network_family == 0)
		return true;
	/* Fails for a Unix-domain socket, which has no address, and for the other family. */
	if (inet_pton(rule->network_family, client_addr, address) != 1)
		return false;
	if (memcmp(address, rule->network_address, bytes) != 0)
		return false;
	return bits == 0 ||
		((address[bytes] ^ rule->network_address[bytes]) & (0xff << (8 - bits)) & 0xff) == 0;
}

static bool
rule_matches(const PgvRule *rule, PgvRuleState state, const PgvBackendSlot *slot,
			 const PgvIdentity *identity, double used_share)
{
	if (!state_matches(rule, state))
		return false;
	if (!is_wanted(rule->is_agent, slot->agent_name[0] != '\0') ||
		!is_wanted(rule->is_local, slot->client_addr[0] == '\0'))
		return false;
	if (rule->min_used_share >= 0 && used_share <= rule->min_used_share)
		return false;
	if (identity != NULL && !pgv_identity_matches(identity, &rule->match))
		return false;
	return pgv_application_matches(&rule->match, slot->application_name) &&
		network_matches(rule, slot->client_addr);
}

bool
pgv_rule_is_dry_run(const PgvRule *rule)
{
	return rule->is_dry_run || (pgv_policy_dry_run && !rule->is_setting);
}

PgvMatchingRules
pgv_rules_find(const PgvRule *rules, int count, PgvRuleState state, const PgvBackendSlot *slot,
			   const PgvIdentity *identity, double used_share)
{
	PgvMatchingRules found = {0};

	for (int i = 0; i < count && found.real == NULL; i++)
	{
		bool		is_dry_run = pgv_rule_is_dry_run(&rules[i]);

		if ((is_dry_run && found.dry != NULL) ||
			!rule_matches(&rules[i], state, slot, identity, used_share))
			continue;
		if (is_dry_run)
			found.dry = &rules[i];
		else
			found.real = &rules[i];
	}
	return found;
}

bool
pgv_rules_need_identity(const PgvRule *rules, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (rules[i].match.role_name[0] != '\0' || rules[i].match.database_name[0] != '\0' ||
			rules[i].spares_superusers || rules[i].spares_roles.count > 0)
			return true;
	}
	return false;
}

const char *
pgv_rule_spares(const PgvRule *rule, const PgvBackendSlot *slot, const PgvIdentity *identity,
				bool holds_advisory_locks)
{
	if (identity != NULL && rule->spares_superusers && identity->is_superuser)
		return "the role is a superuser";
	if (identity != NULL && pgv_identity_is_one_of(identity, &rule->spares_roles))
		return "the role is one of spares_roles, or a member of one";
	if (rule->spares_listeners && slot->is_listening)
		return "the session listens on a channel";
	if (rule->spares_advisory_locks && holds_advisory_locks)
		return "the session holds an advisory lock";
	return NULL;
}
