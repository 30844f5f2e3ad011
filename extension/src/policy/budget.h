/*-------------------------------------------------------------------------
 *
 * budget.h
 *	  Connection budgets: how many sessions there may be of a role, a database or
 *	  an application, pooled and direct ones together.
 *
 * A session counts in every budget whose conditions it meets (budget_seats.h).
 * The places that a budget has are counted and taken in one step, under
 * PGV_LOCK_SLOTS.
 *
 * extension/src/policy/budget.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_BUDGET_H
#define PGV_BUDGET_H

#include "postgres.h"

#include "policy/budget_seats.h"
#include "policy/identity.h"
#include "policy/policy_table.h"
#include "policy/rule.h"
#include "stats/backend_slot.h"

/* A session that wants in. */
typedef struct PgvBudgetClaim
{
	uint32		generation;		/* of the seats when it was prepared */
	bool		is_needed;		/* there are budgets */
	bool		is_superuser;	/* counts, but is never refused */
	PgvIdentity identity;
	NameData	own_name;		/* what identity has if no budget asks for more */
	PgvBudgetSeat seat;			/* among the budgets of that generation */
} PgvBudgetClaim;

typedef enum PgvBudgetAnswer
{
	PGV_BUDGET_GRANTED,			/* the session may go on */
	PGV_BUDGET_REFUSED,			/* a budget has no room for it */
	PGV_BUDGET_ASK_AGAIN		/* other budgets are in force: prepare another claim */
} PgvBudgetAnswer;

/* The budget that has no room, as of the refusal. */
typedef struct PgvBudgetRefusal
{
	bool		is_refused;		/* there is one */
	bool		is_dry_run;		/* the session was let in all the same */
	bool		is_event_due;	/* not more than one a second is told */
	int64		untold_count;	/* refusals without an event before this one */
	char		name[NAMEDATALEN];
	int32		used;			/* sessions that counted then */
	int32		max_connections;
	int32		reserved_connections;
	PgvBackendSlot session;		/* who was refused */
} PgvBudgetRefusal;

/* How a budget is used now. */
typedef struct PgvBudgetUse
{
	PgvBudgetEntry entry;
	int32		agent_count;	/* live sessions opened by an agent */
	int32		direct_count;	/* others */
} PgvBudgetUse;

/*
 * Finds out about this backend's session what budgets may ask.  May run a
 * transaction; in the common case it costs a test.
 *
 * REQUIRES: a client backend whose login is done, no lock, no transaction.
 */
extern void pgv_budget_prepare(PgvBudgetClaim *claim);

/*
 * Takes the places of this backend's session in all its budgets, or, if one has
 * no room, none.  *refusal says which had no room; in a dry run the session may
 * go on all the same.
 *
 * REQUIRES: PGV_LOCK_SLOTS exclusively; fresh is to be this backend's slot.
 */
extern PgvBudgetAnswer pgv_budget_claim(const PgvBudgetClaim *claim,
										const PgvBackendSlot *fresh,
										PgvBudgetRefusal *refusal);

/* Ends this backend with the words of the refusal: does not return.  No lock is held. */
extern void pgv_budget_refuse(const PgvBudgetRefusal *refusal);

/* Makes an event of a refusal that a dry run has let pass, if there is one. */
extern void pgv_budget_record_dry_run(const PgvBudgetRefusal *refusal);

/* Budgets and their use now, in the current memory context. */
extern PgvBudgetUse *pgv_budget_read(int *count);

#endif							/* PGV_BUDGET_H */
