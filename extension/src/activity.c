/*-------------------------------------------------------------------------
 *
 * activity.c
 *	  Executor, utility and transaction hooks that feed the own slot.
 *
 * A command is everything between two ReadyForQuery messages: a simple query,
 * or the messages up to a Sync.  The clock is not asked for it.  The server
 * notes when the first message came (statement timestamp), and when it began to
 * wait for the next one (pgstat_report_activity, right before ReadyForQuery).
 * The hooks only serve those who look while the command still runs: without
 * them the slot would say "idle" until the command's end.
 *
 * extension/src/activity.c
 *-------------------------------------------------------------------------
 */
#include "pg_compat.h"

#include "access/xact.h"
#include "activity.h"
#include "backend_slot.h"
#include "executor/executor.h"
#include "executor/instrument.h"
#include "parser/analyze.h"
#include "tcop/utility.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"

PgvUsage	pgv_my_usage;

/* The slot says that we work on a command. */
static bool command_is_known = false;

/* When the slot's state began: the command, or the wait for one. */
static TimestampTz state_since = 0;

/* The server's statement timestamp at the last ReadyForQuery. */
static TimestampTz statement_at_ready = 0;

static post_parse_analyze_hook_type prev_post_parse_analyze = NULL;
static ExecutorStart_hook_type prev_ExecutorStart = NULL;
static ProcessUtility_hook_type prev_ProcessUtility = NULL;

/* Adds the time since state_since to the counter of the slot's state. */
static void
count_time_until(TimestampTz until)
{
	int64		elapsed_us = Max(until - state_since, 0);

	switch (pgv_my_slot->state)
	{
		case PGV_STATE_ACTIVE:
			pgv_my_usage.active_us += elapsed_us;
			break;
		case PGV_STATE_IDLE:
			pgv_my_usage.idle_us += elapsed_us;
			break;
		default:
			pgv_my_usage.idle_in_transaction_us += elapsed_us;
			break;
	}
}

/* Takes over what the server counts by itself. */
static void
read_server_counters(void)
{
	const BufferUsage *buffers = &pgBufferUsage;

	pgv_my_usage.block_hit_count = buffers->shared_blks_hit + buffers->local_blks_hit;
	pgv_my_usage.block_read_count = buffers->shared_blks_read + buffers->local_blks_read;
	pgv_my_usage.block_written_count =
		buffers->shared_blks_written + buffers->local_blks_written;
	pgv_my_usage.temp_bytes = buffers->temp_blks_written * BLCKSZ;
	pgv_my_usage.wal_bytes = pgWalUsage.wal_bytes;
}

/* The first sign of a new command: the wait for it is over. */
static pg_noinline void
begin_command(void)
{
	PgvBackendSlot *slot = pgv_my_slot;
	TimestampTz start = state_since;

	/* Messages that leave the statement timestamp alone take no time either. */
	if (pgv_activity_command_came())
		start = Max(GetCurrentStatementStartTimestamp(), state_since);

	count_time_until(start);
	command_is_known = true;
	state_since = start;

	/* No other counter has grown while we waited, but for a few bytes sent. */
	pgv_slot_begin_write(slot);
	slot->state = PGV_STATE_ACTIVE;
	slot->state_since = start;
	slot->usage.idle_us = pgv_my_usage.idle_us;
	slot->usage.idle_in_transaction_us = pgv_my_usage.idle_in_transaction_us;
	pgv_slot_end_write(slot);
}

/* Called by every hook. */
static inline void
note_command(void)
{
	if (!command_is_known && pgv_my_slot != NULL)
		begin_command();
}

/*
 * The server asks the clock for pg_stat_activity just before ReadyForQuery,
 * unless track_activities is off.
 */
TimestampTz
pgv_activity_ready_time(void)
{
	TimestampTz reported = MyBEEntry->st_state_start_timestamp;

	return likely(reported != 0) ? reported : GetCurrentTimestamp();
}

void
pgv_activity_ready(char transaction_status)
{
	PgvBackendSlot *slot = pgv_my_slot;
	TimestampTz now = pgv_activity_ready_time();
	PgvState	state;

	if (transaction_status == 'I')
		state = PGV_STATE_IDLE;
	else if (transaction_status == 'T')
		state = PGV_STATE_IDLE_IN_TRANSACTION;
	else
		state = PGV_STATE_IDLE_IN_FAILED_TRANSACTION;

	note_command();
	count_time_until(now);
	read_server_counters();
	statement_at_ready = GetCurrentStatementStartTimestamp();
	state_since = now;

	pgv_slot_begin_write(slot);
	slot->state = state;
	slot->state_since = now;
	slot->usage = pgv_my_usage;
	pgv_slot_end_write(slot);

	command_is_known = false;
}

void
pgv_activity_end(void)
{
	PgvBackendSlot *slot = pgv_my_slot;

	count_time_until(GetCurrentTimestamp());
	read_server_counters();

	pgv_slot_begin_write(slot);
	slot->usage = pgv_my_usage;
	slot->phase = PGV_SLOT_ENDED;
	pgv_slot_end_write(slot);
}

bool
pgv_activity_command_came(void)
{
	return GetCurrentStatementStartTimestamp() != statement_at_ready;
}

/* A prepared transaction counts when COMMIT PREPARED or ROLLBACK PREPARED runs. */
static void
xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT)
		pgv_my_usage.xact_commit_count++;
	else if (event == XACT_EVENT_ABORT)
		pgv_my_usage.xact_rollback_count++;
}

void
pgv_activity_start(void)
{
	state_since = pgv_my_slot->state_since;
	command_is_known = true;
	RegisterXactCallback(xact_callback, NULL);
}

static void
pgv_post_parse_analyze(ParseState *pstate, Query *query, JumbleState *jstate)
{
	note_command();
	if (prev_post_parse_analyze)
		prev_post_parse_analyze(pstate, query, jstate);
}

static void
pgv_ExecutorStart(QueryDesc *query, int eflags)
{
	note_command();
	if (prev_ExecutorStart)
		prev_ExecutorStart(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

static void
pgv_ProcessUtility(PlannedStmt *statement, const char *query_string, bool read_only_tree,
				   ProcessUtilityContext context, ParamListInfo params,
				   QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	note_command();
	if (prev_ProcessUtility)
		prev_ProcessUtility(statement, query_string, read_only_tree, context, params,
							environment, dest, completion);
	else
		standard_ProcessUtility(statement, query_string, read_only_tree, context, params,
								environment, dest, completion);
}

void
pgv_activity_install(void)
{
	prev_post_parse_analyze = post_parse_analyze_hook;
	post_parse_analyze_hook = pgv_post_parse_analyze;
	prev_ExecutorStart = ExecutorStart_hook;
	ExecutorStart_hook = pgv_ExecutorStart;
	prev_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = pgv_ProcessUtility;
}
