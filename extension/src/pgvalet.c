/*-------------------------------------------------------------------------
 *
 * pgvalet.c
 *	  Where the server enters: settings, shared memory, hooks, worker, in that
 *	  order, and nothing else.
 *
 * extension/src/pgvalet.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "backend/enforce.h"
#include "backend/farewell.h"
#include "backend/listening.h"
#include "backend/query_id.h"
#include "backend/wire.h"
#include "base/keep.h"
#include "base/part.h"
#include "base/settings.h"
#include "base/wake.h"
#include "collector/collector.h"
#include "collector/database_worker.h"
#include "collector/watch.h"
#include "fmgr.h"
#include "policy/budget_seats.h"
#include "policy/idle_policy.h"
#include "policy/policy_changes.h"
#include "policy/policy_settings.h"
#include "policy/policy_table.h"
#include "session/catalog_changes.h"
#include "session/session.h"
#include "stats/agent_clients.h"
#include "stats/aggregate.h"
#include "stats/backend_sample.h"
#include "stats/backend_slot.h"
#include "stats/distribution.h"
#include "stats/ended_sessions.h"
#include "stats/event_log.h"
#include "stats/history.h"
#include "stats/io_budget.h"
#include "stats/leak_groups.h"
#include "stats/leaks.h"
#include "stats/logins.h"
#include "stats/minute.h"
#include "stats/rates.h"
#include "stats/repetition.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static shmem_request_hook_type prev_shmem_request = NULL;
static shmem_startup_hook_type prev_shmem_startup = NULL;

/* Lists the parts of our shared memory. */
static void
list_parts(void)
{
	pgv_parts_add(&pgv_wake_part);
	/* Takes over its own sessions before those of the slots. */
	pgv_parts_add(&pgv_ended_sessions_part);
	pgv_parts_add(&pgv_slots_part);
	pgv_parts_add(&pgv_backend_samples_part);
	pgv_parts_add(&pgv_agent_clients_part);
	pgv_parts_add(&pgv_aggregate_part);
	pgv_parts_add(&pgv_distributions_part);
	pgv_parts_add(&pgv_repetition_part);
	pgv_parts_add(&pgv_event_log_part);
	pgv_parts_add(&pgv_leak_groups_part);
	pgv_parts_add(&pgv_leaks_part);
	pgv_parts_add(&pgv_watch_part);
	pgv_parts_add(&pgv_logins_part);
	pgv_parts_add(&pgv_rates_part);
	pgv_parts_add(&pgv_history_part);
	pgv_parts_add(&pgv_catalog_changes_part);
	pgv_parts_add(&pgv_policy_table_part);
	pgv_parts_add(&pgv_budget_seats_part);
	pgv_parts_add(&pgv_idle_policy_part);
	pgv_parts_add(&pgv_database_worker_part);
}

/* shmem_request hook: says how much shared memory we need. */
static void
pgv_shmem_request(void)
{
	if (prev_shmem_request)
		prev_shmem_request();
	pgv_parts_request();
}

/* shmem_startup hook: makes it. */
static void
pgv_shmem_startup(void)
{
	if (prev_shmem_startup)
		prev_shmem_startup();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	pgv_parts_make();
	LWLockRelease(AddinShmemInitLock);

	if (!IsUnderPostmaster)
		pgv_keep_start();
}

/* Defines the settings of all rooms. */
static void
define_settings(void)
{
	pgv_settings_define();
	pgv_session_define_settings();
	pgv_ended_sessions_define_settings();
	pgv_logins_define_settings();
	pgv_minute_define_settings();
	pgv_io_budget_define_settings();
	pgv_history_define_settings();
	pgv_watch_define_settings();
	pgv_leaks_define_settings();
	pgv_backend_samples_define_settings();
	pgv_query_id_define_settings();
	pgv_policy_define_settings();
	pgv_repetition_define_settings();
	MarkGUCPrefixReserved("pgvalet");
}

void
_PG_init(void)
{
	/* Without preloading only the SQL functions are there, and say so. */
	if (!process_shared_preload_libraries_in_progress)
		return;

	define_settings();
	list_parts();

	prev_shmem_request = shmem_request_hook;
	shmem_request_hook = pgv_shmem_request;
	prev_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = pgv_shmem_startup;

	pgv_farewell_install();
	pgv_wire_install();
	pgv_query_id_install();
	pgv_enforce_install();
	pgv_listening_install();
	pgv_catalog_changes_install();
	pgv_policy_changes_install();

	pgv_collector_install();
}
