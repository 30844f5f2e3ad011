/*-------------------------------------------------------------------------
 *
 * activity.c
 *	  Feeds the own slot: what this backend does and what it costs.
 *
 * A command is everything between two ReadyForQuery messages: a simple query,
 * or the messages up to a Sync.  Neither a clock nor a hook of the executor is
 * needed for it.  The server notes when a message came (statement timestamp; we
 * take it when the first message of the answer goes out, which is before the
 * next message of an extended query changes it), and when it began to wait for
 * the next command (pgstat_report_activity, right before ReadyForQuery).
 *
 * extension/src/backend/activity.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include <sys/resource.h>

#include "access/xact.h"
#include "backend/activity.h"
#include "backend/durations.h"
#include "backend/query_id.h"
#include "backend/resources.h"
#include "stats/backend_slot.h"
#include "stats/distribution.h"
#include "stats/repetition.h"
#include "executor/instrument.h"
#include "storage/ipc.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"

PgvUsage	pgv_my_usage;
bool		pgv_activity_is_waiting = false;

/* The server's statement timestamp at the last ReadyForQuery. */
static TimestampTz statement_at_ready = 0;

/* Takes over what the server counts by itself. */
pg_attribute_hot static void
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

/* The wait in the state of the slot is over. */
static inline void
end_wait(const PgvBackendSlot *slot, TimestampTz until)
{
	if (slot->state == PGV_STATE_IDLE_IN_TRANSACTION ||
		slot->state == PGV_STATE_IDLE_IN_FAILED_TRANSACTION)
		pgv_distribution_count(PGV_IN_TRANSACTION_GAP, Max(until - slot->state_since, 0));
}

pg_attribute_hot void
pgv_activity_first_message(void)
{
	PgvBackendSlot *slot = pgv_my_slot;
	TimestampTz arrival;

	/* A notification or a farewell, while we still wait. */
	if (!pgv_activity_command_came())
		return;

	arrival = Max(GetCurrentStatementStartTimestamp(), slot->state_since);
	pgv_slot_add_running_time(slot, &pgv_my_usage, arrival);
	pgv_distribution_check_generation();
	end_wait(slot, arrival);
	pgv_durations_command_came(arrival);
	pgv_activity_is_waiting = false;

	/* No other counter has grown while we waited, but for a few bytes sent. */
	pgv_slot_begin_write(slot);
	slot->state = PGV_STATE_ACTIVE;
	slot->state_since = arrival;
	slot->usage.idle_us = pgv_my_usage.idle_us;
	slot->usage.idle_in_transaction_us = pgv_my_usage.idle_in_transaction_us;
	pgv_slot_end_write(slot);
}

/*
 * The server asks the clock for pg_stat_activity just before ReadyForQuery,
 * unless track_activities is off.
 */
pg_attribute_hot TimestampTz
pgv_activity_ready_time(void)
{
	TimestampTz reported = MyBEEntry->st_state_start_timestamp;

	return likely(reported != 0) ? reported : GetCurrentTimestamp();
}

pg_attribute_hot void
pgv_activity_ready(char transaction_status)
{
	PgvBackendSlot *slot = pgv_my_slot;
	TimestampTz now = pgv_activity_ready_time();
	int64		query_id = pgv_query_id_of_command();
	int32		locks_held = pgv_resources_locks_held();
	PgvState	state;

	if (transaction_status == 'I')
		state = PGV_STATE_IDLE;
	else if (transaction_status == 'T')
		state = PGV_STATE_IDLE_IN_TRANSACTION;
	else
		state = PGV_STATE_IDLE_IN_FAILED_TRANSACTION;

	/* If we still wait, it was for a Sync that nothing came before. */
	pgv_slot_add_running_time(slot, &pgv_my_usage, now);
	read_server_counters();
	statement_at_ready = GetCurrentStatementStartTimestamp();
	pgv_durations_end(now);
	pgv_resources_ready(now);
	pgv_query_id_statement_ended();

	pgv_slot_begin_write(slot);
	slot->state = state;
	slot->state_since = now;
	slot->usage = pgv_my_usage;
	slot->last_query_id = query_id;
	slot->running_query_id = 0;
	slot->locks_held = locks_held;
	pgv_slot_end_write(slot);

	pgv_activity_is_waiting = true;
}

void
pgv_activity_end(void)
{
	PgvBackendSlot *slot = pgv_my_slot;
	struct rusage cpu;
	TimestampTz now = GetCurrentTimestamp();

	/* A client that vanished was not sent anything. */
	if (pgv_activity_is_waiting)
		pgv_activity_first_message();
	pgv_slot_add_running_time(slot, &pgv_my_usage, now);
	end_wait(slot, now);
	pgv_durations_end(now);
	read_server_counters();
	pgv_activity_is_waiting = false;
	getrusage(RUSAGE_SELF, &cpu);

	pgv_slot_begin_write(slot);
	slot->usage = pgv_my_usage;
	slot->cpu_user_us = cpu.ru_utime.tv_sec * USECS_PER_SEC + cpu.ru_utime.tv_usec;
	slot->cpu_system_us = cpu.ru_stime.tv_sec * USECS_PER_SEC + cpu.ru_stime.tv_usec;
	pgv_slot_end_write(slot);
	/* Who sees this takes the rest as it is. */
	pg_write_barrier();
	slot->phase = PGV_SLOT_ENDED;
}

pg_attribute_hot bool
pgv_activity_command_came(void)
{
	return GetCurrentStatementStartTimestamp() != statement_at_ready;
}

/* A prepared transaction counts when COMMIT PREPARED or ROLLBACK PREPARED runs. */
pg_attribute_hot static void
xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT)
		pgv_my_usage.xact_commit_count++;
	else if (event == XACT_EVENT_ABORT)
		pgv_my_usage.xact_rollback_count++;
	else if (event != XACT_EVENT_PREPARE)
		return;

	pgv_repetition_transaction_ended();
	/* Not those of the server's own that are run while we wait. */
	if (!pgv_activity_is_waiting || pgv_activity_command_came() || proc_exit_inprogress)
		pgv_durations_transaction_ended();
}

void
pgv_activity_start(void)
{
	RegisterXactCallback(xact_callback, NULL);
	pgv_distribution_start();
	pgv_resources_start();
}
