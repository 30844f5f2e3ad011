/*-------------------------------------------------------------------------
 *
 * minute.h
 *	  How long a minute is: samples are taken six times in it, events that come
 *	  in numbers are raised once in such a step, and history has an entry for
 *	  each minute.  Tests make it shorter.
 *
 * extension/src/stats/minute.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_MINUTE_H
#define PGV_MINUTE_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* Samples in a minute. */
#define PGV_STEPS_PER_MINUTE 6

/* Defines pgvalet.minute_ms.  Called once from _PG_init(). */
extern void pgv_minute_define_settings(void);

/* The length of a minute and of a step between two samples, in microseconds. */
extern int64 pgv_minute_us(void);
extern int64 pgv_step_us(void);

/* The next end of a minute or step behind this time; both end at full minutes. */
extern TimestampTz pgv_minute_end(TimestampTz now);
extern TimestampTz pgv_step_end(TimestampTz now);

#endif							/* PGV_MINUTE_H */
