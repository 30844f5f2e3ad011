/*-------------------------------------------------------------------------
 *
 * collector.h
 *	  Background worker: looks after all parts of our shared memory.
 *
 * It sleeps until somebody wakes it, the configuration is reloaded or a part has
 * something to do.  Nothing is lost while it does not run, but for samples of
 * that time: ended slots wait, and whoever needs one of them folds it.
 *
 * extension/src/collector/collector.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_COLLECTOR_H
#define PGV_COLLECTOR_H

#include "postgres.h"

/* Registers the worker.  Called once from _PG_init(), in the postmaster. */
extern void pgv_collector_install(void);

/* The worker itself; the server calls it by name. */
extern PGDLLEXPORT void pgv_collector_main(Datum main_arg);

#endif							/* PGV_COLLECTOR_H */
