/*-------------------------------------------------------------------------
 *
 * idle_policy.c
 *	  Ends sessions that wait too long for their client, exactly on time.
 *
 * The end itself is the server's own: we raise the flags that its idle timeouts
 * raise, so transaction state, locks and the client connection are treated in
 * the proven way, with the proven SQLSTATE.  Only the words of the message are
 * ours.
 *
 * extension/src/policy/idle_policy.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include <signal.h>

#include "backend/activity.h"
#include "stats/backend_slot.h"
#include "stats/session_end.h"
#include "policy/idle_policy.h"
#include "libpq/pqsignal.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/shmem.h"
#include "utils/elog.h"
#include "utils/errcodes.h"
#include "utils/memutils.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

/* How soon to look again at a session that was poked, milliseconds. */
#define POKED_AGAIN_MS 50L

/* How soon to look again at one that works and has old limits, milliseconds. */
#define WORKING_AGAIN_MS 1000L

/* Limits of one generation; see idle_policy.h for who writes when. */
typedef struct PgvIdlePolicy
{
	pg_atomic_uint32 generation;	/* grows with every change */
	pg_atomic_uint32 idle_session_ms;	/* 0 = off */
	pg_atomic_uint32 idle_in_transaction_ms;	/* 0 = off */
	pg_atomic_uint32 includes_agents;	/* bool: the first is for agents too */
	pg_atomic_uint64 idle_session_ended_count;	/* sessions ended by each */
	pg_atomic_uint64 idle_in_transaction_ended_count;
} PgvIdlePolicy;

static PgvIdlePolicy *policy = NULL;

/* Our timer, or MAX_TIMEOUTS before pgv_idle_policy_start(). */
static TimeoutId timer = MAX_TIMEOUTS;

/* What the timer was set to, if it is active. */
static TimestampTz timer_due = 0;

/* Why we are ending: a waiting state, or PGV_STATE_ACTIVE while we are not. */
static volatile sig_atomic_t ending_because = PGV_STATE_ACTIVE;

static emit_log_hook_type prev_emit_log = NULL;

static Size
policy_size(void)
{
	return sizeof(PgvIdlePolicy);
}

static void
policy_make(void)
{
	bool		found;

	policy = ShmemInitStruct("pgvalet idle policy", sizeof(PgvIdlePolicy), &found);
	if (found)
		return;

	pg_atomic_init_u32(&policy->generation, 1);
	pg_atomic_init_u32(&policy->idle_session_ms, pgv_idle_session_timeout_ms);
	pg_atomic_init_u32(&policy->idle_in_transaction_ms, pgv_idle_in_transaction_timeout_ms);
	pg_atomic_init_u32(&policy->includes_agents, pgv_idle_session_includes_agents);
	pg_atomic_init_u64(&policy->idle_session_ended_count, 0);
	pg_atomic_init_u64(&policy->idle_in_transaction_ended_count, 0);
}

/* The limit for a session like this in the state it is in; 0 = none. */
static uint32
limit_ms(const PgvBackendSlot *slot)
{
	switch (slot->state)
	{
		case PGV_STATE_IDLE:
			if (slot->agent_name[0] != '\0' &&
				pg_atomic_read_u32(&policy->includes_agents) == 0)
				return 0;
			return pg_atomic_read_u32(&policy->idle_session_ms);
		case PGV_STATE_IDLE_IN_TRANSACTION:
		case PGV_STATE_IDLE_IN_FAILED_TRANSACTION:
			return pg_atomic_read_u32(&policy->idle_in_transaction_ms);
		default:
			return 0;
	}
}

/* When a waiting session has to end; DT_NOEND if it has not. */
static TimestampTz
due_time(const PgvBackendSlot *slot)
{
	uint32		limit = limit_ms(slot);

	if (limit == 0)
		return DT_NOEND;
	return slot->state_since + (int64) limit * 1000;
}

/*
 * Same for our own session, asked from a signal handler that may have
 * interrupted anything: DT_NOEND also when we are not simply waiting.
 */
static TimestampTz
own_due_time(void)
{
	if (pgv_my_slot == NULL || proc_exit_inprogress)
		return DT_NOEND;
	/* In the middle of publishing: the timer is armed right after it. */
	if (pg_atomic_read_u32(&pgv_my_slot->change_count) & 1)
		return DT_NOEND;
	/* The next command is here, though the slot does not say so yet. */
	if (pgv_activity_command_came())
		return DT_NOEND;
	return due_time(pgv_my_slot);
}

/* The setting that ends sessions that wait in this state. */
static const char *
setting_of(int state)
{
	return state == PGV_STATE_IDLE ?
		"pgvalet.idle_session_timeout" : "pgvalet.idle_in_transaction_timeout";
}

/*
 * Raises the server's own flags.  It ignores them if its own timeout is off, so
 * that is set as well: this session has nothing left to do with it.
 */
static void
end_session(void)
{
	ending_because = pgv_my_slot->state;
	pgv_end_by_rule(setting_of(pgv_my_slot->state));
	if (pgv_my_slot->state == PGV_STATE_IDLE)
	{
		if (IdleSessionTimeout <= 0)
			IdleSessionTimeout = 1;
		IdleSessionTimeoutPending = true;
	}
	else
	{
		if (IdleInTransactionSessionTimeout <= 0)
			IdleInTransactionSessionTimeout = 1;
		IdleInTransactionSessionTimeoutPending = true;
	}
	InterruptPending = true;
	SetLatch(MyLatch);
}

/* The timer fired, maybe for a wait that is long over: look again. */
static void
timer_handler(void)
{
	TimestampTz due = own_due_time();

	if (due == DT_NOEND)
		return;
	if (GetCurrentTimestamp() >= due)
		end_session();
	else
	{
		timer_due = due;
		enable_timeout_at(timer, due);
	}
}

/* The collector thinks that we are due.  Timers may not be touched here. */
static void
poke_handler(SIGNAL_ARGS)
{
	int			save_errno = errno;
	TimestampTz due = own_due_time();

	if (due != DT_NOEND && GetCurrentTimestamp() >= due)
		end_session();
	errno = save_errno;
}

void
pgv_idle_policy_start(void)
{
	timer = RegisterTimeout(USER_TIMEOUT, timer_handler);
	/* The server leaves SIGUSR2 unused in client backends. */
	pqsignal(SIGUSR2, poke_handler);
}

void
pgv_idle_policy_note_generation(void)
{
	uint32		generation = pg_atomic_read_u32(&policy->generation);

	pg_atomic_write_u32(&pgv_my_slot->policy_generation, generation);
	pg_read_barrier();
}

/* Sets the timer, unless it fires early enough to see to it by itself. */
static pg_noinline void
arm_until(TimestampTz due)
{
	/*
	 * Error recovery switches all timers off, so ask instead of remembering.
	 */
	if (get_timeout_active(timer) && timer_due <= due)
		return;
	timer_due = due;
	enable_timeout_at(timer, due);
}

void
pgv_idle_policy_arm(void)
{
	TimestampTz due = due_time(pgv_my_slot);

	if (unlikely(due != DT_NOEND))
		arm_until(due);
}

void
pgv_idle_policy_end(void)
{
	if (ending_because == PGV_STATE_ACTIVE)
		return;
	if (ending_because == PGV_STATE_IDLE)
		pg_atomic_fetch_add_u64(&policy->idle_session_ended_count, 1);
	else
		pg_atomic_fetch_add_u64(&policy->idle_in_transaction_ended_count, 1);
}

/* emit_log hook: names the setting that ended the session, in log and client. */
static void
pgv_emit_log(ErrorData *edata)
{
	if (edata->elevel == FATAL &&
		ending_because != PGV_STATE_ACTIVE &&
		(edata->sqlerrcode == ERRCODE_IDLE_SESSION_TIMEOUT ||
		 edata->sqlerrcode == ERRCODE_IDLE_IN_TRANSACTION_SESSION_TIMEOUT))
	{
		MemoryContext old_context = MemoryContextSwitchTo(edata->assoc_context);
		bool		in_transaction = (ending_because != PGV_STATE_IDLE);
		const char *setting = setting_of(ending_because);

		edata->message = psprintf("terminating connection due to %s", setting);
		edata->detail = psprintf("The session waited for a command %s for %u ms.",
								 in_transaction ? "inside a transaction" : "outside a transaction",
								 limit_ms(pgv_my_slot));
		edata->hint = psprintf("%s; sessions cannot change %s.",
							   in_transaction ?
							   "Commit or roll back before waiting" :
							   "Close connections that are not used, or use a connection pool",
							   setting);
		MemoryContextSwitchTo(old_context);
	}
	if (prev_emit_log)
		prev_emit_log(edata);
}

void
pgv_idle_policy_install(void)
{
	prev_emit_log = emit_log_hook;
	emit_log_hook = pgv_emit_log;
}

/* Puts the settings of this process in force for all. */
static void
publish(void)
{
	uint32		idle_session_ms = pgv_idle_session_timeout_ms;
	uint32		idle_in_transaction_ms = pgv_idle_in_transaction_timeout_ms;
	uint32		includes_agents = pgv_idle_session_includes_agents;

	if (idle_session_ms == pg_atomic_read_u32(&policy->idle_session_ms) &&
		idle_in_transaction_ms == pg_atomic_read_u32(&policy->idle_in_transaction_ms) &&
		includes_agents == pg_atomic_read_u32(&policy->includes_agents))
		return;

	pg_atomic_write_u32(&policy->idle_session_ms, idle_session_ms);
	pg_atomic_write_u32(&policy->idle_in_transaction_ms, idle_in_transaction_ms);
	pg_atomic_write_u32(&policy->includes_agents, includes_agents);
	pg_write_barrier();
	pg_atomic_fetch_add_u32(&policy->generation, 1);
}

/* Sees to one session; returns as PgvPart.upkeep. */
static long
look_after(const PgvBackendSlot *slot, uint32 generation, TimestampTz now)
{
	TimestampTz due;

	if (slot->phase != PGV_SLOT_LIVE)
		return PGV_NO_UPKEEP;
	if (pg_atomic_read_u32(unconstify(pg_atomic_uint32 *, &slot->policy_generation)) == generation)
		return PGV_NO_UPKEEP;

	/*
	 * It may have read the old limits and be about to wait by them.
	 */
	if (slot->state == PGV_STATE_ACTIVE)
		return WORKING_AGAIN_MS;

	due = due_time(slot);
	if (due == DT_NOEND)
		return PGV_NO_UPKEEP;
	if (due > now)
		return Min((due - now + 999) / 1000, INT_MAX);
	kill(slot->pid, SIGUSR2);
	return POKED_AGAIN_MS;
}

/* Pokes sessions that are due and were idle before the limits changed. */
static long
policy_upkeep(TimestampTz now)
{
	uint32		generation;
	long		soonest = PGV_NO_UPKEEP;
	PgvBackendSlot slot;

	publish();
	generation = pg_atomic_read_u32(&policy->generation);

	for (int i = 0; i < MaxBackends; i++)
	{
		long		again;

		if (!pgv_slot_copy(i, &slot))
			continue;
		again = look_after(&slot, generation, now);
		if (again != PGV_NO_UPKEEP && (soonest == PGV_NO_UPKEEP || again < soonest))
			soonest = again;
	}
	return soonest;
}

void
pgv_idle_policy_ended_counts(int64 *idle_session, int64 *idle_in_transaction)
{
	*idle_session = pg_atomic_read_u64(&policy->idle_session_ended_count);
	*idle_in_transaction = pg_atomic_read_u64(&policy->idle_in_transaction_ended_count);
}

const PgvPart pgv_idle_policy_part = {
	.name = "idle policy",
	.size = policy_size,
	.make = policy_make,
	.upkeep = policy_upkeep,
};
