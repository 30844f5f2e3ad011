/*-------------------------------------------------------------------------
 *
 * rule_match.h
 *	  Which rule is for a session, and whether that spares it.
 *
 * The rule of a session in a state is the first whose conditions all hold.  What
 * a rule spares is not one of them: a session that is spared has found its rule,
 * and no later one is looked at.
 *
 * Pure functions of copies: what they need of catalogs and shared memory is given
 * to them, so the collector and pgvalet.policy_for() cannot disagree.
 *
 * extension/src/policy/rule_match.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_RULE_MATCH_H
#define PGV_RULE_MATCH_H

#include "postgres.h"

#include "policy/identity.h"
#include "policy/rule.h"
#include "stats/backend_slot.h"

/* The rules that the two timeouts are, as of this process; returns their number. */
#define PGV_SETTINGS_RULES 2
#define PGV_SERIAL_IDLE_SESSION 1
#define PGV_SERIAL_IDLE_IN_TRANSACTION 2
extern int	pgv_rules_of_settings(PgvRule *rules);

/* The state for which a rule is looked for when a session does this (PgvState). */
extern PgvRuleState pgv_rule_state_of(int state);

/* Connections now as a share of those that ordinary roles can have; may be above 1. */
extern double pgv_used_share(int connections);

/* Whether the rule only says what it would do, as of this process's settings. */
extern bool pgv_rule_is_dry_run(const PgvRule *rule);

/* The rules for a session in a state. */
typedef struct PgvMatchingRules
{
	const PgvRule *real;		/* decides what happens, NULL = nothing does */
	const PgvRule *dry;			/* would if it were no dry run, NULL = the real one */
} PgvMatchingRules;

/*
 * The first rule for this session in this state that is no dry run, and the first
 * of all if it is one: rules that are only tried change nothing for the others.
 *
 * identity may be NULL if no rule asks for it: see pgv_rules_need_identity().
 */
extern PgvMatchingRules pgv_rules_find(const PgvRule *rules, int count, PgvRuleState state,
									   const PgvBackendSlot *slot, const PgvIdentity *identity,
									   double used_share);

/* Whether any of these rules looks at role or database. */
extern bool pgv_rules_need_identity(const PgvRule *rules, int count);

/*
 * Why the rule does nothing to this session, or NULL.  holds_advisory_locks need
 * only be true to the fact if the rule asks for it.
 */
extern const char *pgv_rule_spares(const PgvRule *rule, const PgvBackendSlot *slot,
								   const PgvIdentity *identity, bool holds_advisory_locks);

#endif							/* PGV_RULE_MATCH_H */
