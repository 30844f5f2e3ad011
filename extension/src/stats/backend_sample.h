/*-------------------------------------------------------------------------
 *
 * backend_sample.h
 *	  What can only be seen of a backend from outside, now and then: its CPU
 *	  time, and what it waits for while it works.
 *
 * Waits are attributed, not measured: a sample that finds a backend at work
 * gives all of its active time that no sample has given yet to what it waits for
 * at that moment.  So the classes together are never more than active_us, and
 * their shares are right in the mean of many samples.
 *
 * Writer	The collector, every pgvalet.sample_interval, under
 *			PGV_LOCK_SAMPLES; and whoever resets the waits.
 * Readers	Any process, from a copy.
 * Lifetime	One entry per slot, made at server start.  An entry of a session that
 *			has ended stands until the next one has that slot: compare
 *			connected_at.
 *
 * extension/src/stats/backend_sample.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_BACKEND_SAMPLE_H
#define PGV_BACKEND_SAMPLE_H

#include "postgres.h"

#include "base/part.h"
#include "datatype/timestamp.h"

/* What a backend does while it works on a command. */
typedef enum PgvWaitClass
{
	PGV_WAIT_LOCK,
	PGV_WAIT_LWLOCK,
	PGV_WAIT_IO,
	PGV_WAIT_IPC,
	PGV_WAIT_CLIENT,
	PGV_WAIT_TIMEOUT,
	PGV_WAIT_OTHER,				/* buffer pins, extensions and the like */
	PGV_WAIT_NONE				/* it runs */
} PgvWaitClass;

#define PGV_WAIT_CLASSES (PGV_WAIT_NONE + 1)

typedef struct PgvBackendSample
{
	TimestampTz connected_at;	/* of the session, 0 = none */
	TimestampTz sampled_at;		/* when its CPU time was read, 0 = never */
	int64		cpu_user_us;	/* since the backend's start */
	int64		cpu_system_us;
	int64		attributed_us;	/* active_us up to here has been attributed */
	int64		class_us[PGV_WAIT_CLASSES]; /* active time by PgvWaitClass */
} PgvBackendSample;

/* The part of shared memory that they are. */
extern const PgvPart pgv_backend_samples_part;

/* pgvalet.sample_interval.  Called once from _PG_init(). */
extern void pgv_backend_samples_define_settings(void);

/* A copy of all samples in the current memory context, by index of slot. */
extern PgvBackendSample *pgv_backend_samples_copy(void);

#endif							/* PGV_BACKEND_SAMPLE_H */
