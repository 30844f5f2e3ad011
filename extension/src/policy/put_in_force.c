/*-------------------------------------------------------------------------
 *
 * put_in_force.c
 *	  Puts rules and budgets in force, or out of it, and tells so.
 *
 * extension/src/policy/put_in_force.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "policy/budget_seats.h"
#include "policy/policy_table.h"
#include "policy/put_in_force.h"
#include "stats/event_log.h"

/* "2 rules and 1 budget" */
static char *
how_many(int rule_count, int budget_count)
{
	return psprintf("%d rule%s and %d budget%s", rule_count, rule_count == 1 ? "" : "s",
					budget_count, budget_count == 1 ? "" : "s");
}

void
pgv_policy_put_in_force(const PgvPolicyRows *rows)
{
	PgvEvent	event = {.kind = PGV_EVENT_POLICY_CHANGED,.database_id = MyDatabaseId};
	char	   *database = get_database_name(MyDatabaseId);
	PgvSeatPlan *plan;
	bool		has_changed;

	do
	{
		plan = pgv_seats_plan(rows->budgets, rows->budget_count);
	} while (!pgv_seats_begin(plan));
	has_changed = pgv_policy_publish(database, rows->rules, rows->rule_count, rows->budgets,
									 rows->budget_count, rows->left_out.data);
	pgv_seats_end(plan);

	if (has_changed)
		pgv_event_add(&event, "%s are in force", how_many(rows->rule_count, rows->budget_count));
}

/* Tells that what was in force is so no more. */
static void
tell_end(const PgvPolicyStatus *before, const char *why)
{
	PgvEvent	event = {.kind = PGV_EVENT_POLICY_CHANGED,.database_id = MyDatabaseId};
	char	   *what = how_many(before->rule_count, before->budget_count);

	pgv_event_add(&event, "%s are no longer in force: %s", what, why);
	ereport(LOG, (errmsg("pgvalet: %s are no longer in force: %s", what, why)));
}

bool
pgv_policy_put_out_of_force(const char *database, const char *error)
{
	PgvSeatPlan *plan;
	PgvPolicyStatus before;
	bool		is_news;

	do
	{
		plan = pgv_seats_plan(NULL, 0);
	} while (!pgv_seats_begin(plan));
	is_news = pgv_policy_withdraw(database, error, &before);
	pgv_seats_end(plan);

	if (before.rule_count + before.budget_count > 0)
		tell_end(&before, error[0] != '\0' ? error : "pgvalet.database is empty");
	return is_news;
}
