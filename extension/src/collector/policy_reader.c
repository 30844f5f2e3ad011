/*-------------------------------------------------------------------------
 *
 * policy_reader.c
 *	  Reads pgvalet.idle_policy and pgvalet.connection_budget.
 *
 * extension/src/collector/policy_reader.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "collector/policy_reader.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "pgstat.h"
#include "policy/policy_changes.h"
#include "policy/policy_rows.h"
#include "policy/policy_table.h"
#include "policy/put_in_force.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* How often, and how soon again, a lock is tried: some 200 ms in all. */
#define LOCK_TRIES 20
#define LOCK_AGAIN_MS 10L

/*
 * A transaction that is prepared and has written one of the tables: when it is
 * committed, in whatever session, nobody tells.
 */
static const char prepared_query[] =
"SELECT FROM pg_catalog.pg_locks AS l"
" WHERE l.locktype = 'relation' AND l.pid IS NULL AND l.mode <> 'AccessShareLock'"
" AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d"
" WHERE d.datname = pg_catalog.current_database())"
" AND l.relation IN ($1, $2)";

/* A table of ours, or InvalidOid: not one that somebody else has given its name. */
static Oid
find_table(Oid extension, const char *name)
{
	Oid			schema = get_namespace_oid(PGV_SCHEMA, true);
	Oid			table = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;

	if (!OidIsValid(table) || get_rel_relkind(table) != RELKIND_RELATION ||
		getExtensionOfObject(RelationRelationId, table) != extension)
		return InvalidOid;
	return table;
}

static bool
is_prepared_change_pending(Oid rules, Oid budgets)
{
	Oid			types[2] = {OIDOID, OIDOID};
	Datum		values[2] = {ObjectIdGetDatum(rules), ObjectIdGetDatum(budgets)};

	if (SPI_execute_with_args(prepared_query, 2, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read pg_locks");
	return SPI_processed > 0;
}

/* Reads both tables, which are there and locked. */
static PgvReading
read_tables(Oid rules, Oid budgets)
{
	PgvPolicyRows rows;
	bool		is_pending;

	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	/* First: what is committed afterwards is not among the rows either. */
	is_pending = is_prepared_change_pending(rules, budgets);
	pgv_policy_rows_init(&rows);
	pgv_policy_rows_read_rules(rules, &rows);
	pgv_policy_rows_read_budgets(budgets, &rows);
	pgv_policy_put_in_force(&rows);
	SPI_finish();
	PopActiveSnapshot();
	return is_pending ? PGV_READING_AGAIN : PGV_READING_DONE;
}

/*
 * Locks a table; false if somebody else has it for longer than a moment.  A
 * transaction that has just committed tells us before it lets its locks go.
 */
static bool
lock_table(Oid table)
{
	for (int i = 0; i < LOCK_TRIES; i++)
	{
		if (ConditionalLockRelationOid(table, AccessShareLock))
			return true;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, LOCK_AGAIN_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ShutdownRequestPending)
			return false;
	}
	return false;
}

static PgvReading
read_policy(void)
{
	Oid			extension = get_extension_oid("pgvalet", true);
	char	   *database = get_database_name(MyDatabaseId);
	Oid			rules;
	Oid			budgets;

	if (!OidIsValid(extension))
	{
		(void) pgv_policy_put_out_of_force(database,
										   psprintf("there is no extension pgvalet in database \"%s\"",
													database));
		return PGV_READING_DONE;
	}
	rules = find_table(extension, PGV_RULES_TABLE);
	budgets = find_table(extension, PGV_BUDGETS_TABLE);
	if (!OidIsValid(rules) || !OidIsValid(budgets))
	{
		(void) pgv_policy_put_out_of_force(database,
										   psprintf("the extension pgvalet in database \"%s\" has no tables for rules and budgets: update it",
													database));
		return PGV_READING_DONE;
	}
	if (!lock_table(rules) || !lock_table(budgets))
	{
		(void) pgv_policy_note_error("a table of rules or budgets is locked: what was read before stays in force");
		return PGV_READING_AGAIN;
	}
	return read_tables(rules, budgets);
}

PgvReading
pgv_policy_reader_read(void)
{
	MemoryContext context = CurrentMemoryContext;
	volatile PgvReading reading = PGV_READING_AGAIN;

	/* As the role is a superuser, nothing but the server's own functions may be found. */
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_SUSET, PGC_S_OVERRIDE);
	PG_TRY();
	{
		StartTransactionCommand();
		reading = read_policy();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		AbortCurrentTransaction();
		if (pgv_policy_note_error(error->message))
			ereport(LOG, (errmsg("pgvalet: rules and budgets could not be read: %s", error->message)));
		FreeErrorData(error);
		reading = PGV_READING_AGAIN;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	return reading;
}
