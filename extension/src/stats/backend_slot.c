/*-------------------------------------------------------------------------
 *
 * backend_slot.c
 *	  The array of slots in shared memory, and its consistent reading.
 *
 * extension/src/stats/backend_slot.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "stats/backend_slot.h"
#include "stats/ended_sessions.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

/* After so many torn copies, wait between tries, and finally take it as it is. */
#define COPY_TRIES_BEFORE_WAITING 1000
#define COPY_TRIES_WITH_WAITING 50
#define COPY_WAIT_US 100L

PgvSlots   *pgv_slots = NULL;
PgvBackendSlot *pgv_my_slot = NULL;

static Size
slots_size(void)
{
	return add_size(offsetof(PgvSlots, slots),
					mul_size(MaxBackends + 1, sizeof(PgvBackendSlotPadded)));
}

static void
slots_make(void)
{
	bool		found;

	pgv_slots = ShmemInitStruct("pgvalet slots", slots_size(), &found);
	if (found)
		return;

	memset(pgv_slots, 0, slots_size());
	pgv_slots->started_at = GetCurrentTimestamp();
	pg_atomic_init_u32(&pgv_slots->live_count, 0);
	pg_atomic_init_u32(&pgv_slots->wake_count, PG_UINT32_MAX);
	pg_atomic_init_u64(&pgv_slots->session_count, 0);
	for (int i = 0; i < MaxBackends; i++)
	{
		pg_atomic_init_u32(&pgv_slots->slots[i].slot.change_count, 0);
		pg_atomic_init_u32(&pgv_slots->slots[i].slot.at_ready, 0);
	}
}

/* Slots that are not free, out of those there are. */
static void
slots_count(int64 *used, int64 *limit)
{
	*used = 0;
	*limit = MaxBackends;
	for (int i = 0; i < MaxBackends; i++)
		*used += (pgv_slots->slots[i].slot.phase != PGV_SLOT_FREE);
}

static void *
slots_keep(Size *size)
{
	*size = slots_size();
	return pgv_slots;
}

const PgvPart pgv_slots_part = {
	.name = "backends",
	.size = slots_size,
	.make = slots_make,
	.count = slots_count,
	.keep = slots_keep,
	.take_over = pgv_ended_sessions_take_over_slots,
};

/* One try: returns false if the owner wrote meanwhile. */
static bool
try_copy(PgvBackendSlot *slot, PgvBackendSlot *copy)
{
	uint32		before = pg_atomic_read_u32(&slot->change_count);
	uint32		after;

	pg_read_barrier();
	memcpy(copy, slot, sizeof(PgvBackendSlot));
	pg_read_barrier();
	after = pg_atomic_read_u32(&slot->change_count);

	return before == after && (before & 1) == 0;
}

/*
 * Whether pg_stat_activity says that this backend runs a command, since when, and
 * when that came.  It has a change count of its own, with the same protocol as a
 * slot's.
 */
static bool
runs_command(const PgvBackendSlot *slot, TimestampTz *since, TimestampTz *statement_start)
{
	volatile PgBackendStatus *status = slot->status;

	for (int attempt = 0; attempt < COPY_TRIES_BEFORE_WAITING; attempt++)
	{
		int			before;
		int			after;
		int			pid;
		BackendState state;

		pgstat_begin_read_activity(status, before);
		pid = status->st_procpid;
		state = status->st_state;
		*since = status->st_state_start_timestamp;
		*statement_start = status->st_activity_start_timestamp;
		pgstat_end_read_activity(status, after);
		if (pgstat_read_activity_complete(before, after))
			return pid == slot->pid && (state == STATE_RUNNING || state == STATE_FASTPATH);
	}
	return false;
}

bool
pgv_slot_copy(int index, PgvBackendSlot *copy)
{
	PgvBackendSlot *slot = &pgv_slots->slots[index].slot;
	TimestampTz since;
	TimestampTz statement_start;

	if (slot->phase == PGV_SLOT_FREE)
		return false;

	for (int attempt = 0; !try_copy(slot, copy); attempt++)
	{
		if (attempt >= COPY_TRIES_BEFORE_WAITING + COPY_TRIES_WITH_WAITING)
			break;
		if (attempt >= COPY_TRIES_BEFORE_WAITING)
			pg_usleep(COPY_WAIT_US);
	}

	if (copy->phase == PGV_SLOT_LIVE &&
		copy->state != PGV_STATE_ACTIVE &&
		runs_command(copy, &since, &statement_start))
	{
		pgv_slot_add_running_time(copy, &copy->usage, since);
		copy->state = PGV_STATE_ACTIVE;
		copy->state_since = Max(since, copy->state_since);
	}
	return copy->phase != PGV_SLOT_FREE;
}

TimestampTz
pgv_slot_statement_start(const PgvBackendSlot *copy)
{
	TimestampTz since;
	TimestampTz statement_start;

	if (runs_command(copy, &since, &statement_start))
		return statement_start;
	return copy->state_since;
}

pg_attribute_hot void
pgv_slot_add_running_time(const PgvBackendSlot *slot, PgvUsage *usage, TimestampTz until)
{
	int64		running_us = until - slot->state_since;

	if (slot->phase != PGV_SLOT_LIVE || running_us <= 0)
		return;
	if (slot->state == PGV_STATE_ACTIVE)
		usage->active_us += running_us;
	else if (slot->state == PGV_STATE_IDLE)
		usage->idle_us += running_us;
	else
		usage->idle_in_transaction_us += running_us;
}

PgvConnectionCounts
pgv_slots_count_connections(void)
{
	PgvConnectionCounts counts = {0};
	PgvBackendSlot slot;

	for (int i = 0; i < MaxBackends; i++)
	{
		if (!pgv_slot_copy(i, &slot) || slot.phase != PGV_SLOT_LIVE)
			continue;
		counts.all++;
		if (slot.state == PGV_STATE_ACTIVE)
			counts.active++;
		else if (slot.state == PGV_STATE_IDLE)
			counts.idle++;
		else
			counts.idle_in_transaction++;
		if (slot.agent_name[0] != '\0')
			counts.agent++;
	}
	return counts;
}
