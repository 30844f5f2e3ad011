/*-------------------------------------------------------------------------
 *
 * policy_functions.c
 *	  Functions about rules and budgets in force; sql/parts/60_idle_policy.sql and
 *	  61_connection_budget.sql declare them.
 *
 * extension/src/sql/policy_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "catalog/pg_type.h"
#include "policy/budget.h"
#include "policy/policy_settings.h"
#include "policy/policy_table.h"
#include "policy/rule_match.h"
#include "sql/missing_names.h"
#include "sql/sql_common.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pgvalet_policy_status);
PG_FUNCTION_INFO_V1(pgvalet_rule_counts);
PG_FUNCTION_INFO_V1(pgvalet_budget_uses);

#define STATUS_COLUMNS 8
#define COUNTS_OWN_COLUMNS 5
#define COUNTS_COLUMNS (COUNTS_OWN_COLUMNS + 2 * PGV_ACTIONS)
#define BUDGET_COLUMNS 16

/* Appends what names that stand for nothing make of a row. */
static void
note_missing_names(StringInfo remarks, const char *row_kind, const char *row_name,
				   const PgvMatch *match, const PgvNames *names)
{
	PgvMissingName missing[PGV_MOST_MISSING];
	int			count = pgv_missing_names(match, names, missing);

	for (int i = 0; i < count; i++)
		appendStringInfo(remarks, "%s%s \"%s\": there is no %s \"%s\"",
						 remarks->len > 0 ? "; " : "", row_kind, row_name, missing[i].kind,
						 missing[i].name);
}

/* What about rows in force is probably not meant so, in words. */
static char *
find_remarks(void)
{
	PgvRule    *rules = palloc(PGV_MAX_RULES * sizeof(PgvRule));
	int			rule_count = pgv_policy_copy_rules(rules, NULL);
	int			budget_count;
	PgvBudgetUse *budgets = pgv_budget_read(&budget_count);
	StringInfoData remarks;

	initStringInfo(&remarks);
	for (int i = 0; i < rule_count; i++)
		note_missing_names(&remarks, "rule", rules[i].name, &rules[i].match,
						   &rules[i].spares_roles);
	for (int i = 0; i < budget_count; i++)
		note_missing_names(&remarks, "budget", budgets[i].entry.budget.name,
						   &budgets[i].entry.budget.match, &budgets[i].entry.budget.reserved_for);
	return remarks.data;
}

/* pgvalet.policy_status(): one row. */
Datum
pgvalet_policy_status(PG_FUNCTION_ARGS)
{
	Datum		values[STATUS_COLUMNS] = {0};
	bool		nulls[STATUS_COLUMNS] = {0};
	TupleDesc	row_type;
	PgvPolicyStatus status;

	pgv_require_preloaded();
	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	pgv_policy_read_status(&status);

	pgv_put_text(&values[0], &nulls[0], pgv_policy_database);
	values[1] = Int32GetDatum(status.rule_count);
	values[2] = Int32GetDatum(status.budget_count);
	pgv_put_time(&values[3], &nulls[3], status.read_at);
	values[4] = Int64GetDatum(status.generation);
	pgv_put_text(&values[5], &nulls[5], status.error);
	pgv_put_text(&values[6], &nulls[6], status.left_out);
	pgv_put_text(&values[7], &nulls[7], find_remarks());
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
}

/* Returns one row of pgvalet.rule_counts(). */
static void
put_counts(ReturnSetInfo *result, int position, const PgvRule *rule, const PgvRuleCounts *counts)
{
	Datum		values[COUNTS_COLUMNS] = {0};
	bool		nulls[COUNTS_COLUMNS] = {0};

	values[0] = Int32GetDatum(position);
	values[1] = CStringGetTextDatum(rule->name);
	values[2] = CStringGetTextDatum(pgv_rule_state_names[rule->state]);
	values[3] = pgv_interval(rule->after_us[PGV_ACTION_END]);
	nulls[3] = (rule->after_us[PGV_ACTION_END] == 0);
	values[4] = BoolGetDatum(pgv_rule_is_dry_run(rule));
	for (int action = 0; action < PGV_ACTIONS; action++)
	{
		values[COUNTS_OWN_COLUMNS + action] = Int64GetDatum(counts->done[action]);
		values[COUNTS_OWN_COLUMNS + PGV_ACTIONS + action] = Int64GetDatum(counts->would[action]);
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* pgvalet.rule_counts(): one row per rule in force, in order, settings last. */
Datum
pgvalet_rule_counts(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PgvRule    *rules = palloc((PGV_MAX_RULES + PGV_SETTINGS_RULES) * sizeof(PgvRule));
	PgvRuleCounts *counts = palloc((PGV_MAX_RULES + PGV_SETTINGS_RULES) * sizeof(PgvRuleCounts));
	int			count;
	int			count_of_table;

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	count_of_table = pgv_policy_copy_rules(rules, counts);
	count = count_of_table + pgv_rules_of_settings(&rules[count_of_table]);
	for (int i = 0; i < count; i++)
	{
		if (i >= count_of_table)
			pgv_policy_counts_of_setting(rules[i].serial, &counts[i]);
		put_counts(result, i + 1, &rules[i], &counts[i]);
	}
	return (Datum) 0;
}

/* Names as text[]. */
static Datum
array_of(const PgvNames *names)
{
	Datum		elements[PGV_MAX_NAMES];

	for (int i = 0; i < names->count; i++)
		elements[i] = CStringGetTextDatum(names->names[i]);
	return PointerGetDatum(construct_array(elements, names->count, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

/* Returns one row of pgvalet.budget_uses(). */
static void
put_budget(ReturnSetInfo *result, const PgvBudgetUse *use)
{
	const PgvBudgetEntry *entry = &use->entry;
	const PgvBudget *budget = &entry->budget;
	int32		used = use->agent_count + use->direct_count;
	int32		unreserved = budget->max_connections - budget->reserved_connections;
	Datum		values[BUDGET_COLUMNS] = {0};
	bool		nulls[BUDGET_COLUMNS] = {0};

	values[0] = CStringGetTextDatum(budget->name);
	pgv_put_text(&values[1], &nulls[1], budget->match.role_name);
	pgv_put_text(&values[2], &nulls[2], budget->match.database_name);
	values[3] = CStringGetTextDatum(budget->match.application_pattern);
	nulls[3] = !budget->match.has_pattern;
	values[4] = Int32GetDatum(budget->max_connections);
	values[5] = Int32GetDatum(budget->reserved_connections);
	values[6] = Int32GetDatum(use->agent_count);
	values[7] = Int32GetDatum(use->direct_count);
	values[8] = Int32GetDatum(Max(unreserved - used, 0));
	values[9] = Int32GetDatum(Max(entry->highest, used));
	pgv_put_time(&values[10], &nulls[10], entry->highest_at);
	values[11] = Int64GetDatum(entry->refused_count);
	values[12] = Int64GetDatum(entry->would_refuse_count);
	values[13] = BoolGetDatum(budget->is_dry_run);
	values[14] = BoolGetDatum(budget->match.includes_members);
	values[15] = array_of(&budget->reserved_for);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* pgvalet.budget_uses(): one row per budget in force. */
Datum
pgvalet_budget_uses(PG_FUNCTION_ARGS)
{
	PgvBudgetUse *uses;
	int			count;

	pgv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);

	uses = pgv_budget_read(&count);
	for (int i = 0; i < count; i++)
		put_budget((ReturnSetInfo *) fcinfo->resultinfo, &uses[i]);
	return (Datum) 0;
}
