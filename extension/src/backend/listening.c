/*-------------------------------------------------------------------------
 *
 * listening.c
 *	  Whether this session listens, in its slot.
 *
 * extension/src/backend/listening.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "backend/listening.h"
#include "nodes/parsenodes.h"
#include "session/session_pins.h"
#include "stats/backend_slot.h"
#include "tcop/utility.h"

static ProcessUtility_hook_type prev_ProcessUtility = NULL;

static void
pgv_ProcessUtility(PlannedStmt *planned, const char *text, bool read_only,
				   ProcessUtilityContext context, ParamListInfo params,
				   QueryEnvironment *environment, DestReceiver *receiver,
				   QueryCompletion *completion)
{
	NodeTag		tag = nodeTag(planned->utilityStmt);

	if (unlikely(tag == T_ListenStmt || tag == T_UnlistenStmt || tag == T_DiscardStmt) &&
		pgv_my_slot != NULL)
		pg_atomic_fetch_or_u32(&pgv_my_slot->at_ready, PGV_AT_READY_CHANNELS);

	if (prev_ProcessUtility)
		prev_ProcessUtility(planned, text, read_only, context, params, environment, receiver,
							completion);
	else
		standard_ProcessUtility(planned, text, read_only, context, params, environment, receiver,
								completion);
}

void
pgv_listening_look(void)
{
	StringInfoData channels;
	bool		is_listening;

	initStringInfo(&channels);
	is_listening = pgv_channels_append(&channels) > 0;
	pfree(channels.data);

	pgv_slot_begin_write(pgv_my_slot);
	pgv_my_slot->is_listening = is_listening;
	pgv_slot_end_write(pgv_my_slot);
}

void
pgv_listening_install(void)
{
	prev_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = pgv_ProcessUtility;
}
