/*-------------------------------------------------------------------------
 *
 * session.c
 *	  The session of an agent's connection: following what it does.
 *
 * Hooks are installed in the backends of agents alone, and are only hints where
 * to look: what there is, is asked when the transaction is over.
 *
 * extension/src/session/session.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_largeobject.h"
#include "commands/defrem.h"
#include "base/dynahash_find.h"
#include "nodes/parsenodes.h"
#include "session/session.h"
#include "session/session_items.h"
#include "session/session_settings.h"
#include "session/session_statements.h"
#include "base/settings.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

bool		pgv_session_is_followed = false;
PgvSessionEvents pgv_session_events;
uint32		pgv_session_defaults_at_login = 0;
bool		pgv_session_settings_changed = false;
bool		pgv_session_statements_changed = false;
bool		pgv_session_channels_changed = false;
bool		pgv_session_objects_changed = false;

static ProcessUtility_hook_type prev_ProcessUtility = NULL;
static object_access_hook_type prev_object_access = NULL;

/* An UNLISTEN of the transaction that is open. */
typedef struct Unlisten
{
	int			level;			/* of nesting: a subtransaction may be rolled back */
	char	   *channel;		/* "*": all */
} Unlisten;

/* In the transaction that is open: objects made, altered or dropped; its UNLISTENs. */
static bool objects_changed = false;
static List *unlistens = NIL;	/* of Unlisten, in TopTransactionContext */

/* Libraries that this session has loaded by LOAD, as items sorted by nothing: in order. */
static StringInfoData libraries;

static void
note_unlisten(const char *channel)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Unlisten   *unlisten = palloc(sizeof(*unlisten));

	unlisten->level = GetCurrentTransactionNestLevel();
	unlisten->channel = pstrdup(channel);
	unlistens = lappend(unlistens, unlisten);
	MemoryContextSwitchTo(old);
	pgv_session_channels_changed = true;
}

static void
note_library(const char *file)
{
	StringInfoData item;

	initStringInfo(&item);
	pgv_items_append(&item, PGV_ITEM_LIBRARY);
	pgv_items_append_text(&item, file);
	if (strstr(libraries.data, item.data) == NULL)
		appendBinaryStringInfo(&libraries, item.data, item.len);
	pfree(item.data);
	/* It may have taken the place of variables that were marked. */
	pgv_session_settings_changed = true;
	pgv_settings_mark();
}

static void
note_discard(DiscardMode target)
{
	if (target == DISCARD_ALL)
	{
		pgv_session_events.statements_gone = true;
		pgv_statements_forget();
		note_unlisten("*");
	}
	if (target == DISCARD_ALL || target == DISCARD_SEQUENCES)
		pgv_session_events.sequences_gone = true;
	pgv_session_statements_changed = pgv_session_settings_changed = true;
}

/* The EXECUTE in this statement, or NULL. */
static const ExecuteStmt *
find_execute(Node *statement)
{
	Node	   *inner = NULL;

	if (IsA(statement, ExecuteStmt))
		return (const ExecuteStmt *) statement;
	if (IsA(statement, ExplainStmt))
		inner = ((ExplainStmt *) statement)->query;
	else if (IsA(statement, CreateTableAsStmt))
		inner = ((CreateTableAsStmt *) statement)->query;
	if (inner == NULL || !IsA(inner, Query) || ((Query *) inner)->commandType != CMD_UTILITY)
		return NULL;
	return find_execute(((Query *) inner)->utilityStmt);
}

/* Before the server carries out a statement; true if there is nothing left to do. */
static bool
before_utility(Node *statement, QueryCompletion *completion)
{
	const ExecuteStmt *execute;

	if (!pgv_statements_has_deferred())
		return false;
	execute = find_execute(statement);
	if (execute != NULL)
		pgv_statements_prepare_deferred(execute->name);
	if (IsA(statement, DeallocateStmt) && ((DeallocateStmt *) statement)->name != NULL &&
		pgv_statements_drop_deferred(((DeallocateStmt *) statement)->name))
	{
		pgv_session_statements_changed = true;
		if (completion != NULL)
			SetQueryCompletion(completion, CMDTAG_DEALLOCATE, 0);
		return true;
	}
	return false;
}

/* The server has carried it out. */
static void
after_utility(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_PrepareStmt:
			pgv_session_statements_changed = true;
			break;
		case T_DeallocateStmt:
			pgv_session_statements_changed = true;
			if (((DeallocateStmt *) statement)->name == NULL)
			{
				pgv_session_events.statements_gone = true;
				pgv_statements_forget();
			}
			break;
		case T_DiscardStmt:
			note_discard(((DiscardStmt *) statement)->target);
			break;
		case T_ListenStmt:
			pgv_session_channels_changed = true;
			break;
		case T_UnlistenStmt:
			{
				const char *channel = ((UnlistenStmt *) statement)->conditionname;

				note_unlisten(channel ? channel : "*");
				break;
			}
		case T_NotifyStmt:
			pgv_session_events.notified = true;
			break;
		case T_LoadStmt:
			note_library(((LoadStmt *) statement)->filename);
			break;
		case T_VariableSetStmt:
			if (((VariableSetStmt *) statement)->name != NULL &&
				strcmp(((VariableSetStmt *) statement)->name, "seed") == 0)
				pgv_pins_note_seed();
			break;
		default:
			break;
	}
}

static void
pgv_ProcessUtility(PlannedStmt *planned, const char *text, bool read_only,
				   ProcessUtilityContext context, ParamListInfo params,
				   QueryEnvironment *environment, DestReceiver *receiver,
				   QueryCompletion *completion)
{
	/* The statement itself may be gone afterwards (CALL with COMMIT inside). */
	NodeTag		tag = nodeTag(planned->utilityStmt);
	bool		of_interest = tag == T_PrepareStmt || tag == T_DeallocateStmt ||
		tag == T_DiscardStmt || tag == T_ListenStmt || tag == T_UnlistenStmt ||
		tag == T_NotifyStmt || tag == T_LoadStmt || tag == T_VariableSetStmt;

	if (before_utility(planned->utilityStmt, completion))
		return;
	if (prev_ProcessUtility)
		prev_ProcessUtility(planned, text, read_only, context, params, environment, receiver,
							completion);
	else
		standard_ProcessUtility(planned, text, read_only, context, params, environment, receiver,
								completion);
	if (of_interest)
		after_utility(planned->utilityStmt);
}

/* Functions that leave or ask something. */
static void
note_function(Oid function)
{
	switch (function)
	{
		case F_LASTVAL:
		case F_CURRVAL:
			pgv_session_events.sequences_used = true;
			break;
		case F_PG_NOTIFY:
			pgv_session_events.notified = true;
			break;
		case F_SETSEED:
			pgv_pins_note_seed();
			break;
		default:
			break;
	}
}

static void
pgv_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (prev_object_access)
		prev_object_access(access, class_id, object_id, sub_id, arg);
	switch (access)
	{
		case OAT_FUNCTION_EXECUTE:
			note_function(object_id);
			break;
		case OAT_POST_CREATE:
		case OAT_POST_ALTER:
		case OAT_DROP:
			if (class_id == LargeObjectRelationId || objects_changed)
				break;
			objects_changed = true;
			pgv_session_objects_changed = true;
			break;
		default:
			break;
	}
}

static void
subxact_callback(SubXactEvent event, SubTransactionId my_id, SubTransactionId parent_id, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();
	ListCell   *cell;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	foreach(cell, unlistens)
	{
		Unlisten   *unlisten = lfirst(cell);

		if (unlisten->level < level)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			unlisten->level = level - 1;
		else
			unlistens = foreach_delete_current(unlistens, cell);
	}
}

/* The UNLISTENs of a transaction that committed are to be reported. */
static void
report_unlistens(void)
{
	ListCell   *cell;

	foreach(cell, unlistens)
	{
		const Unlisten *unlisten = lfirst(cell);

		pgv_items_append(&pgv_session_events.unlistened, PGV_ITEM_UNLISTENED);
		pgv_items_append_text(&pgv_session_events.unlistened, unlisten->channel);
	}
}

static void
xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			report_unlistens();
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			break;
		default:
			return;
	}
	unlistens = NIL;
	if ((MyXactFlags & XACT_FLAGS_ACCESSEDTEMPNAMESPACE) != 0 && objects_changed)
		pgv_pins_temporary_changed = true;
	/* Not pgv_session_objects_changed: another transaction may begin before that can be said. */
	objects_changed = false;
}

void
pgv_session_start(void)
{
	MemoryContext old;

	if (pgv_agent_key[0] == '\0')
		return;
	if (!pgv_dynahash_start() || !pgv_pins_start())
	{
		ereport(LOG,
				(errmsg("pgvalet: this server is not built as the session report expects; sessions of agents are not followed")));
		return;
	}
	old = MemoryContextSwitchTo(TopMemoryContext);
	initStringInfo(&libraries);
	initStringInfo(&pgv_session_events.unlistened);
	MemoryContextSwitchTo(old);
	pgv_settings_mark();
	prev_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = pgv_ProcessUtility;
	prev_object_access = object_access_hook;
	object_access_hook = pgv_object_access;
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
	pgv_session_is_followed = true;
}

void
pgv_session_describe(StringInfo state, int *setting_count, int *statement_count)
{
	appendStringInfoString(state, pgv_settings_startup_items());
	pgv_settings_append(state, setting_count);
	appendBinaryStringInfo(state, libraries.data, libraries.len);
	pgv_statements_append(state, statement_count);
}

/* ---- restore: libraries ---- */

static void
restore_libraries(List *items)
{
	ListCell   *cell;

	resetStringInfo(&libraries);
	foreach(cell, items)
	{
		const PgvItem *item = lfirst(cell);

		if (item->letter != PGV_ITEM_LIBRARY)
			continue;
		load_file(item->name, !superuser());
		note_library(item->name);
	}
}

void
pgv_session_restore(const char *state, Size len)
{
	List	   *items = pgv_items_parse(state, len);

	pgv_settings_restore(items);
	restore_libraries(items);
	pgv_statements_restore(items);
	pgv_settings_restore_role(items);
	pgv_session_settings_changed = pgv_session_statements_changed = true;
}
