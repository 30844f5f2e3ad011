/*-------------------------------------------------------------------------
 *
 * policy_changed.c
 *	  The statement trigger of the tables of rules and budgets;
 *	  sql/parts/60_idle_policy.sql declares it.
 *
 * extension/src/sql/policy_changed.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "commands/dbcommands.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "policy/policy_changes.h"
#include "policy/policy_rows.h"
#include "policy/policy_settings.h"
#include "sql/missing_names.h"
#include "sql/sql_common.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(pgvalet_policy_changed);

/* Warns of the names in a row that stand for nothing. */
static void
warn_of_missing_names(const char *row_kind, const char *row_name, const PgvMatch *match,
					  const PgvNames *roles, const char *roles_column)
{
	PgvMissingName missing[PGV_MOST_MISSING];
	int			count = pgv_missing_names(match, roles, missing);

	for (int i = 0; i < count; i++)
		ereport(WARNING,
				(errmsg("%s \"%s\": there is no %s \"%s\"", row_kind, row_name, missing[i].kind,
						missing[i].name),
				 errhint("As a condition it matches nothing; in %s it stands for nobody.",
						 roles_column)));
}

/* Warns of enabled rows that are not in force. */
static void
warn_of_left_out(const char *table, int64 enabled, int most, const char *left_out)
{
	if (enabled > most)
		ereport(WARNING,
				(errmsg("only the first %d of " INT64_FORMAT " enabled rows of %s are in force",
						most, enabled, table)));
	else if (left_out[0] != '\0')
		ereport(WARNING,
				(errmsg("not all enabled rows of %s are in force: %s", table, left_out)));
}

static void
warn_of_rules(Oid table)
{
	PgvPolicyRows rows;

	pgv_policy_rows_init(&rows);
	pgv_policy_rows_read_rules(table, &rows);
	for (int i = 0; i < rows.rule_count; i++)
		warn_of_missing_names("rule", rows.rules[i].name, &rows.rules[i].match,
							  &rows.rules[i].spares_roles, "spares_roles");
	warn_of_left_out(PGV_RULES_TABLE, rows.enabled_rule_count, PGV_MAX_RULES, rows.left_out.data);
}

static void
warn_of_budgets(Oid table)
{
	PgvPolicyRows rows;

	pgv_policy_rows_init(&rows);
	pgv_policy_rows_read_budgets(table, &rows);
	for (int i = 0; i < rows.budget_count; i++)
		warn_of_missing_names("budget", rows.budgets[i].name, &rows.budgets[i].match,
							  &rows.budgets[i].reserved_for, "reserved_for");
	warn_of_left_out(PGV_BUDGETS_TABLE, rows.enabled_budget_count, PGV_MAX_BUDGETS,
					 rows.left_out.data);
}

/* Says what about the rows, which will be in force, is probably not meant so. */
static void
warn_of_rows(const TriggerData *trigger)
{
	Relation	table = trigger->tg_relation;
	const char *name = RelationGetRelationName(table);
	char	   *schema = get_namespace_name(RelationGetNamespace(table));

	/* Whoever takes rows away has not just written what is left. */
	if ((!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) &&
		 !TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)) ||
		schema == NULL || strcmp(schema, PGV_SCHEMA) != 0)
		return;
	SPI_connect();
	if (strcmp(name, PGV_RULES_TABLE) == 0)
		warn_of_rules(RelationGetRelid(table));
	else if (strcmp(name, PGV_BUDGETS_TABLE) == 0)
		warn_of_budgets(RelationGetRelid(table));
	SPI_finish();
}

/*
 * pgvalet.policy_changed(): puts the rows in force at COMMIT, or says why they are
 * not.
 */
Datum
pgvalet_policy_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	char	   *database;
	const char *table;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("pgvalet.policy_changed() is a trigger function")));
	database = get_database_name(MyDatabaseId);
	table = RelationGetRelationName(trigger->tg_relation);
	if (pgv_slots == NULL)
		ereport(WARNING,
				(errmsg("the rows of %s are not in force", table),
				 errhint("Add pgvalet to shared_preload_libraries and restart the server.")));
	else if (database != NULL && strcmp(database, pgv_policy_database) != 0)
		ereport(WARNING,
				(errmsg("the rows of %s in database \"%s\" are not in force", table, database),
				 errhint("Rules and budgets are those of database \"%s\" (setting pgvalet.database).",
						 pgv_policy_database)));
	else
	{
		pgv_policy_changes_note_rows(table);
		warn_of_rows(trigger);
	}
	/* Not SQL NULL: a trigger returns no row. */
	return PointerGetDatum(NULL);
}
