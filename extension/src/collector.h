/*-------------------------------------------------------------------------
 *
 * collector.h
 *	  Background worker: folds ended sessions, looks after the idle policy.
 *
 * It sleeps until a session ends, the configuration is reloaded or a session is
 * due.  Nothing is lost while it does not run: ended slots wait, and whoever
 * needs one of them folds it.
 *
 * extension/src/collector.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_COLLECTOR_H
#define PGV_COLLECTOR_H

#include "postgres.h"

/* Registers the worker.  Called once from _PG_init(), in the postmaster. */
extern void pgv_collector_install(void);

/* Bytes of shared memory, and making it.  The postmaster. */
extern Size pgv_collector_shmem_size(void);
extern void pgv_collector_shmem_init(void);

/* Tells the worker that a session has ended.  Any process. */
extern void pgv_collector_wake(void);

/* The worker itself; the server calls it by name. */
extern PGDLLEXPORT void pgv_collector_main(Datum main_arg);

#endif							/* PGV_COLLECTOR_H */
