/*-------------------------------------------------------------------------
 *
 * collector.c
 *	  Background worker: looks after all parts of our shared memory.
 *
 * It touches shared memory only.  It connects, to no database, for one reason:
 * so that pg_stat_activity shows it.
 *
 * extension/src/collector/collector.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/part.h"
#include "base/wake.h"
#include "collector/collector.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Seconds until the server starts the worker again if it ended. */
#define RESTART_AFTER_S 1

/* What the parts allocate while they are looked after. */
static MemoryContext upkeep_context = NULL;

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
	pgv_wake_set_latch(NULL);
}

/*
 * Lets every part do what is due; returns as PgvPart.upkeep.  What they allocate
 * is gone afterwards.
 */
static long
look_after_parts(void)
{
	MemoryContext old_context = MemoryContextSwitchTo(upkeep_context);
	long		soonest = PGV_NO_UPKEEP;
	int			count;
	const PgvPart *const *parts = pgv_parts(&count);

	for (int i = 0; i < count; i++)
	{
		long		again;

		if (parts[i]->upkeep == NULL)
			continue;
		again = parts[i]->upkeep(GetCurrentTimestamp());
		if (again != PGV_NO_UPKEEP && (soonest == PGV_NO_UPKEEP || again < soonest))
			soonest = again;
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(upkeep_context);
	return soonest;
}

void
pgv_collector_main(Datum main_arg)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	upkeep_context = AllocSetContextCreate(TopMemoryContext, "pgvalet upkeep",
										   ALLOCSET_DEFAULT_SIZES);
	before_shmem_exit(forget_latch, (Datum) 0);
	pgv_wake_set_latch(MyLatch);

	while (!ShutdownRequestPending)
	{
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		wait_for_work(look_after_parts());
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
