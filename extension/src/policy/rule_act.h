/*-------------------------------------------------------------------------
 *
 * rule_act.h
 *	  Carries out what a rule says about a session, as far as the collector can.
 *
 * extension/src/policy/rule_act.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_RULE_ACT_H
#define PGV_RULE_ACT_H

#include "postgres.h"

#include "policy/identity.h"
#include "policy/verdict.h"
#include "stats/backend_slot.h"

/* What a session is in, and the rule for it. */
typedef struct PgvSituation
{
	int			index;			/* place of its slot */
	const PgvBackendSlot *slot;
	const PgvIdentity *identity;	/* NULL if no rule in force asks for it */
	const PgvRule *rule;
	PgvRuleState state;			/* what the session does, or its age */
	TimestampTz since;			/* when that began */
	PgvProgress   *progress;			/* ours, of this situation and rule */
} PgvSituation;

/*
 * Carries out one action that is due, or tells the backend to.
 *
 * REQUIRES: the collector, in a transaction.
 */
extern void pgv_rule_act(const PgvSituation *situation, PgvAction action, TimestampTz now);

#endif							/* PGV_RULE_ACT_H */
