/*-------------------------------------------------------------------------
 *
 * owner_select.c
 *	  Reads a table with the rights of its owner, whoever is reading.
 *
 * extension/src/policy/owner_select.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "policy/owner_select.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#define RESTRICTED \
	(SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS)

/*
 * A column of another type would be read by a cast to the one that is expected,
 * and that can be a function of anybody.
 */
static void
check_columns(Relation table, const PgvColumn *columns, int column_count)
{
	Oid			id = RelationGetRelid(table);

	if (table->rd_rel->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", RelationGetRelationName(table))));
	for (int i = 0; i < column_count; i++)
	{
		AttrNumber	number = get_attnum(id, columns[i].name);

		if (number == InvalidAttrNumber || get_atttype(id, number) != columns[i].type)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("table \"%s\" has no column \"%s\" of type %s",
							RelationGetRelationName(table), columns[i].name,
							format_type_be(columns[i].type))));
	}
}

void
pgv_owner_select(Oid table, const PgvColumn *columns, int column_count, const char *query)
{
	Relation	relation = table_open(table, NoLock);
	Oid			owner = relation->rd_rel->relowner;
	Oid			user;
	int			context;
	int			settings;
	int			result;

	check_columns(relation, columns, column_count);
	table_close(relation, NoLock);

	/* After an error the end of the (sub)transaction brings both back. */
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(owner, context | RESTRICTED);
	settings = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	result = SPI_execute(query, false, 0);
	AtEOXact_GUC(false, settings);
	SetUserIdAndSecContext(user, context);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not read: %s", query);
}
