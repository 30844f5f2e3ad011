/*-------------------------------------------------------------------------
 *
 * database_worker.h
 *	  What needs a database: reading rules and budgets, and NOTIFY.
 *
 * The collector is connected to no database, so that it holds none: DROP DATABASE
 * and CREATE DATABASE ... TEMPLATE want the database for themselves.  When there
 * is something to do it starts this worker, which does it and ends, in some
 * milliseconds.
 *
 * On a standby nobody tells when the tables change: there the worker stays and
 * looks every second.  Recovery may end it, and it is started again.
 *
 * Writer	The collector says what is to be done; the worker notes what was.
 * Readers	Both.
 * Lifetime	The part: from the start of the server.
 *
 * extension/src/collector/database_worker.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_DATABASE_WORKER_H
#define PGV_DATABASE_WORKER_H

#include "postgres.h"

#include "base/part.h"

/* The part whose upkeep starts the worker. */
extern const PgvPart pgv_database_worker_part;

/* The worker itself; the server calls it by name. */
extern PGDLLEXPORT void pgv_database_worker_main(Datum main_arg);

#endif							/* PGV_DATABASE_WORKER_H */
