/*-------------------------------------------------------------------------
 *
 * catalog_changes.c
 *	  Changes of the catalog that make what an agent holds of its backends old.
 *
 * extension/src/session/catalog_changes.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_db_role_setting.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "session/catalog_changes.h"
#include "common/hashfn.h"
#include "session/prepared_changes.h"
#include "storage/shmem.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

PgvCatalogChanges *pgv_catalog_changes = NULL;

static object_access_hook_type prev_object_access = NULL;

/* What the transaction that is open has changed. */
static bool defaults_changed[PGV_CHANGE_PLACES];
static bool any_defaults_changed = false;
static bool relations_changed = false;

static uint32
place_of(Oid database, Oid role)
{
	return hash_combine(murmurhash32(database), murmurhash32(role)) % PGV_CHANGE_PLACES;
}

static Size
catalog_changes_size(void)
{
	return MAXALIGN(sizeof(PgvCatalogChanges)) + pgv_prepared_changes_shmem_size();
}

static void
catalog_changes_make(void)
{
	bool		found;

	pgv_catalog_changes = ShmemInitStruct("pgvalet catalog changes",
										  sizeof(PgvCatalogChanges), &found);
	pgv_prepared_changes_shmem_init();
	if (found)
		return;
	pg_atomic_init_u32(&pgv_catalog_changes->all, 0);
	pg_atomic_init_u32(&pgv_catalog_changes->all_defaults, 0);
	for (int i = 0; i < PGV_CHANGE_PLACES; i++)
	{
		pg_atomic_init_u32(&pgv_catalog_changes->defaults[i], 0);
		pg_atomic_init_u32(&pgv_catalog_changes->relations[i], 0);
	}
}

const PgvPart pgv_catalog_changes_part = {
	.name = "catalog changes",
	.size = catalog_changes_size,
	.make = catalog_changes_make,
};

uint32
pgv_catalog_changes_defaults(Oid database, Oid role)
{
	pg_atomic_uint32 *defaults = pgv_catalog_changes->defaults;

	/* Where process_settings() of the server looks when a session begins. */
	return pg_atomic_read_u32(&defaults[place_of(database, role)]) +
		pg_atomic_read_u32(&defaults[place_of(InvalidOid, role)]) +
		pg_atomic_read_u32(&defaults[place_of(database, InvalidOid)]) +
		pg_atomic_read_u32(&defaults[place_of(InvalidOid, InvalidOid)]);
}

uint32
pgv_catalog_changes_relations(Oid database)
{
	return pg_atomic_read_u32(&pgv_catalog_changes->relations[place_of(database, InvalidOid)]);
}

/* `places` tells for whom defaults have changed. */
static void
publish(int kinds, const bool *places)
{
	if ((kinds & PGV_CHANGED_DEFAULTS) != 0)
	{
		for (int i = 0; i < PGV_CHANGE_PLACES; i++)
		{
			if (places[i])
				pg_atomic_fetch_add_u32(&pgv_catalog_changes->defaults[i], 1);
		}
		pg_atomic_fetch_add_u32(&pgv_catalog_changes->all_defaults, 1);
	}
	if ((kinds & PGV_CHANGED_RELATIONS) != 0)
	{
		uint32		place = place_of(MyDatabaseId, InvalidOid);

		pg_atomic_fetch_add_u32(&pgv_catalog_changes->relations[place], 1);
	}
	pg_atomic_fetch_add_u32(&pgv_catalog_changes->all, 1);
}

/* Of a transaction that another session has prepared, perhaps: for whom is not known. */
static void
publish_prepared(int kinds)
{
	bool		everybody[PGV_CHANGE_PLACES];

	if (kinds == 0)
		return;
	memset(everybody, true, sizeof(everybody));
	publish(kinds, everybody);
}

static void
xact_callback(XactEvent event, void *arg)
{
	int			kinds = (any_defaults_changed ? PGV_CHANGED_DEFAULTS : 0) |
		(relations_changed ? PGV_CHANGED_RELATIONS : 0);

	if (kinds == 0)
		return;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			publish(kinds, defaults_changed);
			break;
		case XACT_EVENT_PREPARE:
			pgv_prepared_changes_note(kinds);
			break;
		case XACT_EVENT_ABORT:
			break;
		default:
			return;
	}
	if (any_defaults_changed)
		memset(defaults_changed, 0, sizeof(defaults_changed));
	any_defaults_changed = relations_changed = false;
}

/* The transaction that is open is the first one to change something here. */
static void
follow_transactions(void)
{
	static bool registered = false;

	if (!registered)
		RegisterXactCallback(xact_callback, NULL);
	registered = true;
}

/* Can a statement name it? */
static bool
has_columns(char relation_kind)
{
	switch (relation_kind)
	{
		case RELKIND_RELATION:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_COMPOSITE_TYPE:
			return true;
		default:
			return false;
	}
}

/* Just made, so that the catalog does not show it yet: it may hide another of its name. */
static bool
new_relation_matters(Oid id)
{
	Relation	relation = RelationIdGetRelation(id);
	bool		matters;

	if (relation == NULL)
		return false;
	matters = has_columns(relation->rd_rel->relkind) &&
		relation->rd_rel->relpersistence != RELPERSISTENCE_TEMP;
	RelationClose(relation);
	return matters;
}

static bool
old_relation_matters(Oid id)
{
	return has_columns(get_rel_relkind(id)) && get_rel_persistence(id) != RELPERSISTENCE_TEMP;
}

/* The row type of a temporary table comes and goes with that. */
static bool
old_type_matters(Oid id)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(id));
	bool		matters;

	if (!HeapTupleIsValid(tuple))
		return false;
	matters = !isAnyTempNamespace(((Form_pg_type) GETSTRUCT(tuple))->typnamespace);
	ReleaseSysCache(tuple);
	return matters;
}

/* What the server does to an object for purposes of its own: rewrites of tables, toast tables. */
static bool
is_internal(ObjectAccessType access, void *arg)
{
	if (arg == NULL)
		return false;
	switch (access)
	{
		case OAT_POST_CREATE:
			return ((ObjectAccessPostCreate *) arg)->is_internal;
		case OAT_POST_ALTER:
			return ((ObjectAccessPostAlter *) arg)->is_internal;
		case OAT_DROP:
			return (((ObjectAccessDrop *) arg)->dropflags & PERFORM_DELETION_INTERNAL) != 0;
		default:
			return false;
	}
}

/*
 * Could a statement that others have prepared mean something else now, or have
 * other columns?
 */
static bool
changes_meaning(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (access != OAT_POST_CREATE && access != OAT_POST_ALTER && access != OAT_DROP)
		return false;
	if (is_internal(access, arg))
		return false;
	switch (class_id)
	{
		case RelationRelationId:
			if (access == OAT_POST_CREATE && sub_id == 0)
				return new_relation_matters(object_id);
			return old_relation_matters(object_id);
		case TypeRelationId:
			return access != OAT_POST_CREATE && old_type_matters(object_id);
		case NamespaceRelationId:
			return access != OAT_POST_CREATE;	/* there is nothing in it yet */
		case ProcedureRelationId:
		case OperatorRelationId:
		case CastRelationId:
		case CollationRelationId:
			return true;
		default:
			return false;
	}
}

pg_attribute_hot static void
pgv_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (prev_object_access)
		prev_object_access(access, class_id, object_id, sub_id, arg);
	if (class_id == DbRoleSettingRelationId && access == OAT_POST_ALTER)
	{
		Oid			role = arg ? ((ObjectAccessPostAlter *) arg)->auxiliary_id : InvalidOid;

		defaults_changed[place_of(object_id, role)] = any_defaults_changed = true;
		follow_transactions();
	}
	else if (!relations_changed && changes_meaning(access, class_id, object_id, sub_id, arg))
	{
		relations_changed = true;
		follow_transactions();
	}
}

void
pgv_catalog_changes_install(void)
{
	prev_object_access = object_access_hook;
	object_access_hook = pgv_object_access;
	pgv_prepared_changes_install(publish_prepared);
}
