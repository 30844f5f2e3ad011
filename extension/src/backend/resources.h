/*-------------------------------------------------------------------------
 *
 * resources.h
 *	  What this session holds while it waits: memory and locks.
 *
 * extension/src/backend/resources.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_RESOURCES_H
#define PGV_RESOURCES_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "stats/backend_slot.h"
#include "utils/hsearch.h"

/* A sample of the memory is good for so long, in microseconds. */
#define PGV_MEMORY_SAMPLE_US (5 * USECS_PER_SEC)

/* A command that took so long is worth a new one. */
#define PGV_LONG_COMMAND_US (USECS_PER_SEC / 10)

/* The server's table of our own locks, NULL if it was not found. */
extern HTAB *pgv_resources_locks;

/* Called once, when the slot is claimed. */
extern void pgv_resources_start(void);

/* How many different locks this session holds. */
static inline int32
pgv_resources_locks_held(void)
{
	return likely(pgv_resources_locks != NULL) ? hash_get_num_entries(pgv_resources_locks) : 0;
}

/* Whether one of them is an advisory lock.  Not while the table is being walked. */
extern bool pgv_resources_holds_advisory_lock(void);

/* Adds up the memory of all contexts and publishes it. */
extern void pgv_resources_sample_memory(TimestampTz now);

/*
 * The same, if the last sample is old or the command that has just been answered
 * may have changed much.
 *
 * REQUIRES: pgv_my_slot is set, and still says when the command came.
 */
static inline void
pgv_resources_ready(TimestampTz now)
{
	if (unlikely(now - pgv_my_slot->memory_sampled_at >= PGV_MEMORY_SAMPLE_US) ||
		unlikely(now - pgv_my_slot->state_since >= PGV_LONG_COMMAND_US))
		pgv_resources_sample_memory(now);
}

#endif							/* PGV_RESOURCES_H */
