/*-------------------------------------------------------------------------
 *
 * wake.h
 *	  How everybody reaches the collector.
 *
 * Writer	The collector, at its start and end.
 * Readers	Any process.
 * Lifetime	From the start of the server on; nobody is there while the collector
 *			does not run, and a wake-up is lost then: it looks at everything
 *			when it starts.
 *
 * extension/src/base/wake.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_WAKE_H
#define PGV_WAKE_H

#include "base/part.h"
#include "storage/latch.h"

/* The part that keeps the address. */
extern const PgvPart pgv_wake_part;

/* Makes the collector look at everything now.  Any process. */
extern void pgv_wake_collector(void);

/* The latch that wakes it, NULL = none.  The collector. */
extern void pgv_wake_set_latch(Latch *latch);

#endif							/* PGV_WAKE_H */
