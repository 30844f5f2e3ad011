/*-------------------------------------------------------------------------
 *
 * database_worker.c
 *	  What needs a database: reading rules and budgets, and NOTIFY.
 *
 * extension/src/collector/database_worker.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/xlog.h"
#include "base/wake.h"
#include "collector/database_worker.h"
#include "collector/event_notifier.h"
#include "collector/policy_reader.h"
#include "pgstat.h"
#include "policy/identity.h"
#include "policy/policy_settings.h"
#include "policy/policy_table.h"
#include "policy/put_in_force.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "stats/event_log.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define WORKER_NAME "pgvalet database worker"

/* Between two looks on a standby, and two notifications. */
#define AGAIN_MS 1000L

/* Until the next worker is started when one has read, or has to read again. */
#define AFTER_READING_MS 100L
#define READ_AGAIN_MS 500L

/* A worker that ends without a word is started again later and later. */
#define LEAST_PATIENCE_MS 1000L
#define MOST_PATIENCE_MS 64000L

/* What the worker has said of its reading. */
typedef enum PgvSaid
{
	PGV_SAID_NOTHING,
	PGV_SAID_DONE,
	PGV_SAID_AGAIN
} PgvSaid;

typedef struct PgvDatabaseWorker
{
	pg_atomic_uint32 number;	/* of the worker started last: others go home */
	pg_atomic_uint32 said;		/* PgvSaid: by that one */
	pg_atomic_uint32 is_notifying;	/* bool: the setting is on */
	pg_atomic_uint64 notified_sequence; /* events up to here were told, or not to be */
} PgvDatabaseWorker;

static PgvDatabaseWorker *worker = NULL;

/* In the collector: the worker that was started, NULL = none that we know of. */
static BackgroundWorkerHandle *handle = NULL;

static char started_for[NAMEDATALEN] = "";	/* its database */

/* When a worker may be started next, and after how long if it fails. */
static TimestampTz start_after = 0;
static long patience_ms = LEAST_PATIENCE_MS;

/* When events may be told next. */
static TimestampTz notify_after = 0;

static Size
worker_size(void)
{
	return sizeof(PgvDatabaseWorker);
}

static void
worker_make(void)
{
	bool		found;

	worker = ShmemInitStruct("pgvalet database worker", worker_size(), &found);
	if (found)
		return;
	pg_atomic_init_u32(&worker->number, 0);
	pg_atomic_init_u32(&worker->said, PGV_SAID_NOTHING);
	pg_atomic_init_u32(&worker->is_notifying, 0);
	pg_atomic_init_u64(&worker->notified_sequence, 0);
}

/*
 * Reads, and notes how that went.  A request is served only by the worker that was
 * started last: one whose database is no longer that of the tables is told so
 * before the request is made (worker_upkeep), and may have seen it.
 */
static PgvReading
read_once(uint32 my_number)
{
	uint32		request;
	PgvReading	reading;

	(void) pgv_policy_is_reading_wanted(&request);
	reading = pgv_policy_reader_read();
	if (reading == PGV_READING_DONE && pg_atomic_read_u32(&worker->number) == my_number)
		pgv_policy_note_served(request);
	pg_atomic_write_u32(&worker->said,
						reading == PGV_READING_DONE ? PGV_SAID_DONE : PGV_SAID_AGAIN);
	pgv_wake_collector();
	return reading;
}

static void
notify_once(void)
{
	if (!pgv_notify_events || RecoveryInProgress())
		return;
	pg_atomic_write_u64(&worker->notified_sequence,
						pgv_event_notifier_run(pg_atomic_read_u64(&worker->notified_sequence)));
}

/* On a standby: looks every second, until it is none or another worker is there. */
static void
watch_tables(uint32 my_number)
{
	while (RecoveryInProgress() && !ShutdownRequestPending &&
		   pg_atomic_read_u32(&worker->number) == my_number)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, AGAIN_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		(void) read_once(my_number);
	}
}

void
pgv_database_worker_main(Datum main_arg)
{
	uint32		my_number = DatumGetUInt32(main_arg);

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(MyBgworkerEntry->bgw_extra, NULL, 0);

	(void) read_once(my_number);
	notify_once();
	if (RecoveryInProgress())
		watch_tables(my_number);
	proc_exit(0);
}

/*
 * Whether there is a database to connect to; if not, that is the answer to the
 * request, so that no worker fails in the log again and again.
 */
static bool
check_database(void)
{
	uint32		request;
	PgvDatabaseFound found = PGV_DATABASE_MISSING;

	(void) pgv_policy_is_reading_wanted(&request);
	if (pgv_policy_database[0] != '\0')
	{
		pgv_catalogs_begin();
		found = pgv_database_find(pgv_policy_database);
		pgv_catalogs_end();
	}
	if (found == PGV_DATABASE_OPEN)
		return true;
	if (pgv_policy_database[0] == '\0')
		(void) pgv_policy_put_out_of_force("", "");
	else
	{
		const char *error = found == PGV_DATABASE_MISSING ? "there is no database of this name" :
			"the database allows no connections";

		if (pgv_policy_put_out_of_force(pgv_policy_database, error))
			ereport(LOG,
					(errmsg("pgvalet: rules and budgets cannot be read from database \"%s\": %s",
							pgv_policy_database, error)));
	}
	pgv_policy_note_served(request);
	return false;
}

/* Whether there are events that nobody was told of, and it is a good time to. */
static bool
has_events_to_tell(void)
{
	return pgv_notify_events && !RecoveryInProgress() &&
		pgv_event_last_sequence() > (int64) pg_atomic_read_u64(&worker->notified_sequence);
}

/* Starts the worker. */
static void
start_worker(TimestampTz now)
{
	BackgroundWorker description = {0};
	MemoryContext context;
	bool		is_registered;

	strlcpy(description.bgw_name, WORKER_NAME, BGW_MAXLEN);
	strlcpy(description.bgw_type, WORKER_NAME, BGW_MAXLEN);
	strlcpy(description.bgw_library_name, "pgvalet", BGW_MAXLEN);
	strlcpy(description.bgw_function_name, "pgv_database_worker_main", BGW_MAXLEN);
	strlcpy(description.bgw_extra, pgv_policy_database, BGW_EXTRALEN);
	description.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	description.bgw_start_time = BgWorkerStart_ConsistentState;
	description.bgw_restart_time = BGW_NEVER_RESTART;
	description.bgw_notify_pid = MyProcPid;
	description.bgw_main_arg =
		UInt32GetDatum(pg_atomic_add_fetch_u32(&worker->number, 1));

	strlcpy(started_for, pgv_policy_database, sizeof(started_for));
	pg_atomic_write_u32(&worker->said, PGV_SAID_NOTHING);
	if (has_events_to_tell())
		notify_after = now + AGAIN_MS * 1000;
	/* The handle outlives this upkeep. */
	context = MemoryContextSwitchTo(TopMemoryContext);
	is_registered = RegisterDynamicBackgroundWorker(&description, &handle);
	MemoryContextSwitchTo(context);
	if (is_registered)
		return;
	handle = NULL;
	start_after = now + LEAST_PATIENCE_MS * 1000;
	if (pgv_policy_note_error("no background worker is free to read the tables: increase max_worker_processes"))
		ereport(LOG,
				(errmsg("pgvalet: no background worker is free to read rules and budgets"),
				 errhint("Increase max_worker_processes.")));
}

/* The worker has ended: when may there be another? */
static void
note_end(TimestampTz now)
{
	long		pause_ms = AFTER_READING_MS;
	PgvSaid		said = pg_atomic_read_u32(&worker->said);

	if (said == PGV_SAID_NOTHING)
	{
		(void) pgv_policy_note_error("the database worker could not read the tables: see the server log");
		pause_ms = patience_ms;
		patience_ms = Min(patience_ms * 2, MOST_PATIENCE_MS);
	}
	else
		patience_ms = LEAST_PATIENCE_MS;
	if (said == PGV_SAID_AGAIN)
		pause_ms = READ_AGAIN_MS;
	start_after = now + pause_ms * 1000;
}

/* Whether the worker that we started is still there. */
static bool
is_running(TimestampTz now)
{
	pid_t		pid;
	BgwHandleStatus status;

	if (handle == NULL)
		return false;
	status = GetBackgroundWorkerPid(handle, &pid);
	if (status == BGWH_STARTED || status == BGWH_NOT_YET_STARTED)
		return true;
	pfree(handle);
	handle = NULL;
	note_end(now);
	return false;
}

/* After a reload, other settings may be in force, and the tables may be elsewhere. */
static void
note_settings(void)
{
	static TimestampTz seen_reload = 0;
	bool		was_notifying = pg_atomic_read_u32(&worker->is_notifying) != 0;

	if (PgReloadTime != seen_reload)
		pgv_policy_request_reading();
	seen_reload = PgReloadTime;
	if (pgv_notify_events && !was_notifying)
		pg_atomic_write_u64(&worker->notified_sequence, pgv_event_last_sequence());
	pg_atomic_write_u32(&worker->is_notifying, pgv_notify_events);
}

/* When something is to be done, DT_NOEND = never. */
static TimestampTz
due_time(TimestampTz now)
{
	uint32		request;
	TimestampTz due = DT_NOEND;

	/* A clock that was set back must not stop us. */
	if (start_after > now + MOST_PATIENCE_MS * 1000)
		start_after = now;
	if (notify_after > now + AGAIN_MS * 1000)
		notify_after = now;
	if (RecoveryInProgress() || pgv_policy_is_reading_wanted(&request))
		due = start_after;
	if (has_events_to_tell())
		due = Min(due, Max(start_after, notify_after));
	/* Nobody wakes us for an event. */
	if (pgv_notify_events)
		due = Min(due, now + AGAIN_MS * 1000);
	return due;
}

/* Starts the worker if there is something to do. */
static long
worker_upkeep(TimestampTz now)
{
	TimestampTz due;

	/* A worker has to be where the tables are, also one that stays, as on a standby. */
	if (handle != NULL && strcmp(started_for, pgv_policy_database) != 0)
		pg_atomic_fetch_add_u32(&worker->number, 1);
	note_settings();
	if (is_running(now))
		return AGAIN_MS;
	due = due_time(now);
	if (due == DT_NOEND)
		return PGV_NO_UPKEEP;
	if (due > now)
		return (due - now + 999) / 1000;
	if (check_database())
		start_worker(now);
	return AGAIN_MS;
}

const PgvPart pgv_database_worker_part = {
	.name = "database worker",
	.size = worker_size,
	.make = worker_make,
	.upkeep = worker_upkeep,
};
