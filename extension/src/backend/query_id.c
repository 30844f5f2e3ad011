/*-------------------------------------------------------------------------
 *
 * query_id.c
 *	  Which statement is being answered.
 *
 * extension/src/backend/query_id.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "backend/query_id.h"
#include "executor/executor.h"
#include "parser/analyze.h"
#include "stats/backend_slot.h"
#include "stats/repetition.h"
#include "tcop/pquery.h"
#include "utils/guc.h"
#include "utils/portal.h"

bool		pgv_query_id_is_noted = false;

static bool track_queries = true;
static ExecutorStart_hook_type prev_ExecutorStart = NULL;

void
pgv_query_id_define_settings(void)
{
	DefineCustomBoolVariable("pgvalet.track_queries",
							 "Makes the server compute query ids, and looks at those of the statements that clients send.",
							 "With compute_query_id = off there are none.",
							 &track_queries,
							 true,
							 PGC_POSTMASTER, 0,
							 NULL, NULL, NULL);
}

/*
 * Whether a portal is that of a cursor.  DECLARE and PL/pgSQL ask for a fast plan,
 * protocol portals do not; other languages let names be generated, and of those
 * with generated names only the cursors can be seen.
 */
static inline bool
is_cursor(const PortalData *portal)
{
	return (portal->cursorOptions & CURSOR_OPT_FAST_PLAN) != 0 ||
		(portal->name[0] == '<' && portal->visible);
}

/*
 * Whether a plan is what the client asked for: the (first) one of the portal
 * that is being run.  What a function executes has no portal, or that of a
 * cursor; so has the query inside DECLARE, which has an id of its own since 18.
 */
static inline bool
is_sent_by_client(const PlannedStmt *plan)
{
	Portal		portal = ActivePortal;

	return portal != NULL && portal->stmts != NIL && linitial(portal->stmts) == plan &&
		likely(!is_cursor(portal));
}

static inline void
start(QueryDesc *query, int eflags)
{
	if (prev_ExecutorStart)
		prev_ExecutorStart(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

/* The statement is not the first of its place in the transaction. */
static pg_noinline void
count_again_and_start(QueryDesc *query, int eflags)
{
	pgv_repetition_count_again((int64) query->plannedstmt->queryId, query->plannedstmt,
							   query->sourceText);
	start(query, eflags);
}

/*
 * ExecutorStart hook.  Every path ends in a jump, so that the common one has
 * nothing to save.
 */
pg_attribute_hot static void
pgv_ExecutorStart(QueryDesc *query, int eflags)
{
	if (!pgv_query_id_is_noted && pgv_my_slot != NULL && is_sent_by_client(query->plannedstmt))
	{
		int64		query_id = (int64) query->plannedstmt->queryId;

		pgv_query_id_is_noted = true;
		pgv_my_slot->running_query_id = query_id;
		if (!pgv_repetition_count_first(query_id))
		{
			count_again_and_start(query, eflags);
			return;
		}
	}
	start(query, eflags);
}

void
pgv_query_id_install(void)
{
	if (!track_queries)
		return;
	EnableQueryId();
	prev_ExecutorStart = ExecutorStart_hook;
	ExecutorStart_hook = pgv_ExecutorStart;
}
