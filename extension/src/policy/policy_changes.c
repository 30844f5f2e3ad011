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
#include "utils/lsyscache.h"

static object_access_hook_type prev_object_access = NULL;

/* The transaction that is open has changed something. */
static bool has_changed = false;

static void
xact_callback(XactEvent event, void *arg)
{
	if (!has_changed)
		return;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			pgv_policy_request_reading();
			break;
		case XACT_EVENT_ABORT:
			break;
		default:
			return;
	}
	has_changed = false;
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

static void
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
