/*-------------------------------------------------------------------------
 *
 * pgvalet.c
 *	  Where the server enters: settings, shared memory, hooks, worker, in that
 *	  order, and nothing else.
 *
 * extension/src/pgvalet.c
 *-------------------------------------------------------------------------
 */
#include "pg_compat.h"

#include "aggregate.h"
#include "backend_slot.h"
#include "catalog_changes.h"
#include "collector.h"
#include "fmgr.h"
#include "idle_policy.h"
#include "settings.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "wire.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static shmem_request_hook_type prev_shmem_request = NULL;
static shmem_startup_hook_type prev_shmem_startup = NULL;

/* shmem_request hook: says how much shared memory we need. */
static void
pgv_shmem_request(void)
{
	if (prev_shmem_request)
		prev_shmem_request();

	pgv_slots_shmem_request();
	RequestAddinShmemSpace(pgv_aggregate_shmem_size());
	RequestAddinShmemSpace(pgv_idle_policy_shmem_size());
	RequestAddinShmemSpace(pgv_collector_shmem_size());
	RequestAddinShmemSpace(pgv_catalog_changes_shmem_size());
}

/* shmem_startup hook: makes it. */
static void
pgv_shmem_startup(void)
{
	if (prev_shmem_startup)
		prev_shmem_startup();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	pgv_slots_shmem_init();
	pgv_aggregate_shmem_init();
	pgv_idle_policy_shmem_init();
	pgv_collector_shmem_init();
	pgv_catalog_changes_shmem_init();
	LWLockRelease(AddinShmemInitLock);
}

void
_PG_init(void)
{
	/* Without preloading only the SQL functions are there, and say so. */
	if (!process_shared_preload_libraries_in_progress)
		return;

	pgv_settings_define();

	prev_shmem_request = shmem_request_hook;
	shmem_request_hook = pgv_shmem_request;
	prev_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = pgv_shmem_startup;

	pgv_wire_install();
	pgv_idle_policy_install();
	pgv_catalog_changes_install();

	pgv_collector_install();
}
