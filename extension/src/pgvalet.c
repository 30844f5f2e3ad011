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

#include "stats/aggregate.h"
#include "stats/backend_slot.h"
#include "stats/event_log.h"
#include "stats/leak_groups.h"
#include "stats/leaks.h"
#include "session/catalog_changes.h"
#include "backend/enforce.h"
#include "backend/listening.h"
#include "collector/collector.h"
#include "collector/database_worker.h"
#include "fmgr.h"
#include "policy/budget.h"
#include "policy/idle_policy.h"
#include "policy/policy_changes.h"
#include "policy/policy_settings.h"
#include "policy/policy_table.h"
#include "base/part.h"
#include "base/settings.h"
#include "base/wake.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "backend/wire.h"
#include "session/session.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static shmem_request_hook_type prev_shmem_request = NULL;
static shmem_startup_hook_type prev_shmem_startup = NULL;

/* Lists the parts of our shared memory. */
static void
list_parts(void)
{
	pgv_parts_add(&pgv_wake_part);
	pgv_parts_add(&pgv_slots_part);
	pgv_parts_add(&pgv_aggregate_part);
	pgv_parts_add(&pgv_event_log_part);
	pgv_parts_add(&pgv_leak_groups_part);
	pgv_parts_add(&pgv_leaks_part);
	pgv_parts_add(&pgv_catalog_changes_part);
	pgv_parts_add(&pgv_policy_table_part);
	pgv_parts_add(&pgv_budget_part);
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
}

void
_PG_init(void)
{
	/* Without preloading only the SQL functions are there, and say so. */
	if (!process_shared_preload_libraries_in_progress)
		return;

	pgv_settings_define();
	pgv_session_define_settings();
	pgv_leaks_define_settings();
	pgv_policy_define_settings();
	MarkGUCPrefixReserved("pgvalet");
	list_parts();

	prev_shmem_request = shmem_request_hook;
	shmem_request_hook = pgv_shmem_request;
	prev_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = pgv_shmem_startup;

	pgv_wire_install();
	pgv_enforce_install();
	pgv_listening_install();
	pgv_catalog_changes_install();
	pgv_policy_changes_install();

	pgv_collector_install();
}
