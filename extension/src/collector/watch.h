/*-------------------------------------------------------------------------
 *
 * watch.h
 *	  Raises the events that nobody else sees: the server started, connections
 *	  come near their limit, a session is tied to its backend for long, settings
 *	  have other values.
 *
 * Writer	The collector only; the postmaster before it runs.
 * Readers	The collector.
 * Lifetime	What has been said already stands in shared memory, so that a new
 *			collector does not say it again.  The values of settings outlive a
 *			restart (keep.h): what changed with it is told, too.
 *
 * extension/src/collector/watch.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_WATCH_H
#define PGV_WATCH_H

#include "postgres.h"

#include "base/part.h"

/* Defines pgvalet.limit_near_share and pgvalet.pin_long.  Called from _PG_init(). */
extern void pgv_watch_define_settings(void);

/* The part of shared memory that it has. */
extern const PgvPart pgv_watch_part;

#endif							/* PGV_WATCH_H */
