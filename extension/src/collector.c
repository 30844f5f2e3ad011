/*-------------------------------------------------------------------------
 *
 * collector.c
 *	  Background worker: folds ended sessions, looks after the idle policy.
 *
 * It touches shared memory only.  It connects, to no database, for one reason:
 * so that pg_stat_activity shows it.
 *
 * extension/src/collector.c
 *-------------------------------------------------------------------------
 */
#include "pg_compat.h"

#include "aggregate.h"
#include "backend_slot.h"
#include "collector.h"
#include "idle_policy.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/shmem.h"
#include "utils/guc.h"

/* Seconds until the server starts the worker again if it ended. */
#define RESTART_AFTER_S 1

/*
 * Where to find the worker.  Written by the worker at its start and end; read by
 * everybody.  NULL while it does not run.
 */
typedef struct PgvCollector
{
	Latch	   *latch;
} PgvCollector;

static PgvCollector *collector = NULL;

Size
pgv_collector_shmem_size(void)
{
	return sizeof(PgvCollector);
}

void
pgv_collector_shmem_init(void)
{
	bool		found;

	collector = ShmemInitStruct("pgvalet collector", sizeof(PgvCollector), &found);
	if (!found)
		collector->latch = NULL;
}

void
pgv_collector_wake(void)
{
	Latch	   *latch = *((Latch *volatile *) &collector->latch);

	if (latch != NULL)
		SetLatch(latch);
}

/* Folds all ended slots; takes the lock only if there is one. */
static void
fold_ended_slots(void)
{
	bool		any = false;

	for (int i = 0; i < MaxBackends && !any; i++)
		any = (pgv_slots->slots[i].slot.phase == PGV_SLOT_ENDED);
	if (!any)
		return;

	LWLockAcquire(pgv_slots->lock, LW_EXCLUSIVE);
	for (int i = 0; i < MaxBackends; i++)
		pgv_aggregate_fold(&pgv_slots->slots[i].slot);
	LWLockRelease(pgv_slots->lock);
}

/* Waits for the next thing to do, at most this long (PGV_NO_UPKEEP: for ever). */
static void
wait_for_work(long timeout_ms)
{
	int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;

	if (timeout_ms != PGV_NO_UPKEEP)
		events |= WL_TIMEOUT;
	(void) WaitLatch(MyLatch, events, timeout_ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* before_shmem_exit callback. */
static void
forget_latch(int code, Datum arg)
{
	collector->latch = NULL;
}

void
pgv_collector_main(Datum main_arg)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	before_shmem_exit(forget_latch, (Datum) 0);
	collector->latch = MyLatch;

	while (!ShutdownRequestPending)
	{
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		pgv_idle_policy_publish();
		fold_ended_slots();
		wait_for_work(pgv_idle_policy_upkeep());
	}

	/* Any other code would tell the server never to start us again. */
	proc_exit(1);
}

void
pgv_collector_install(void)
{
	BackgroundWorker worker = {0};

	strlcpy(worker.bgw_name, "pgvalet collector", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "pgvalet collector", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "pgvalet", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "pgv_collector_main", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = RESTART_AFTER_S;
	RegisterBackgroundWorker(&worker);
}
