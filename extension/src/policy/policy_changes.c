/*-------------------------------------------------------------------------
 *
 * policy_changes.c
 *	  Notices transactions that change what rules and budgets are in force.
 *
 * extension/src/policy/policy_changes.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_trigger.h"
#include "policy/policy_changes.h"
#include "policy/policy_table.h"
#include "stats/event_log.h"
#include "utils/lsyscache.h"

static object_access_hook_type prev_object_access = NULL;

/* The transaction that is open has changed something. */
static bool has_changed = false;

/* It has written rows of rules and of budgets, or rolled that back to a savepoint. */
static bool has_written_rules = false;
static bool has_written_budgets = false;

/* Says who has written rows. */
static void
tell_who(const char *how)
{
	PgvEvent	event = {.kind = PGV_EVENT_POLICY_CHANGED};
	const char *tables = PGV_RULES_TABLE " and " PGV_BUDGETS_TABLE;

	if (!has_written_rules && !has_written_budgets)
		return;
	if (!has_written_budgets)
		tables = PGV_RULES_TABLE;
	else if (!has_written_rules)
		tables = PGV_BUDGETS_TABLE;
	if (pgv_my_slot != NULL)
		pgv_event_describe(&event, pgv_my_slot);
	pgv_event_add(&event, "rows of %s were written%s", tables, how);
}

/* After the commit an error would take the server down: nothing here raises one. */
static void
xact_callback(XactEvent event, void *arg)
{
	if (!has_changed)
		return;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			tell_who("");
			pgv_policy_request_reading();
			break;
		case XACT_EVENT_PREPARE:
			tell_who(" by a transaction that is prepared");
			pgv_policy_request_reading();
			break;
		case XACT_EVENT_ABORT:
			break;
		default:
			return;
	}
	has_changed = has_written_rules = has_written_budgets = false;
}

void
pgv_policy_changes_note(void)
{
	static bool is_registered = false;

	if (!is_registered)
		RegisterXactCallback(xact_callback, NULL);
	is_registered = true;
	has_changed = true;
}

void
pgv_policy_changes_note_rows(const char *table)
{
	pgv_policy_changes_note();
	if (strcmp(table, PGV_RULES_TABLE) == 0)
		has_written_rules = true;
	else if (strcmp(table, PGV_BUDGETS_TABLE) == 0)
		has_written_budgets = true;
}

/* Is it one of our tables?  One that is being made is not found yet. */
static bool
is_policy_table(Oid relation)
{
	char	   *name = get_rel_name(relation);

	if (name == NULL ||
		(strcmp(name, PGV_RULES_TABLE) != 0 && strcmp(name, PGV_BUDGETS_TABLE) != 0))
		return false;
	return get_rel_namespace(relation) == get_namespace_oid(PGV_SCHEMA, true);
}

/*
 * Whether this may change what is in force.  A trigger that is switched on again,
 * as by pg_restore --disable-triggers, may have been ours.
 */
static bool
is_change(ObjectAccessType access, Oid class_id, Oid object_id)
{
	switch (class_id)
	{
		case ExtensionRelationId:
		case DatabaseRelationId:
			return true;
		case RelationRelationId:
			return access != OAT_POST_CREATE && is_policy_table(object_id);
		case TriggerRelationId:
			return access == OAT_POST_ALTER;
		default:
			return false;
	}
}

pg_attribute_hot static void
pgv_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (prev_object_access)
		prev_object_access(access, class_id, object_id, sub_id, arg);
	if (access != OAT_POST_CREATE && access != OAT_POST_ALTER && access != OAT_DROP)
		return;
	if (!has_changed && is_change(access, class_id, object_id))
		pgv_policy_changes_note();
}

void
pgv_policy_changes_install(void)
{
	prev_object_access = object_access_hook;
	object_access_hook = pgv_object_access;
}
