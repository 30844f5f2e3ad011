/*-------------------------------------------------------------------------
 *
 * leak_groups.h
 *	  How many direct sessions each application has had from each host, over
 *	  the last while.
 *
 * A connection that nobody uses is a leak only if its application goes on to
 * open others: a pool that keeps its size does not leak, however long some of
 * its connections wait.  So the sizes of the past must be known.
 *
 * Writer	The collector, under PGV_LOCK_LEAKS exclusively, one sample per
 *			pgv_leak_step_us().
 * Readers	Any process, from a copy that pgv_leak_groups_copy() makes.
 * Lifetime	PGV_LEAK_GROUPS groups with PGV_LEAK_SAMPLES samples each, made at
 *			server start.  Groups beyond that are not followed; a group that has
 *			had no session in any sample makes room.
 *
 * extension/src/stats/leak_groups.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_LEAK_GROUPS_H
#define PGV_LEAK_GROUPS_H

#include "postgres.h"

#include "base/part.h"
#include "stats/backend_slot.h"

#define PGV_LEAK_GROUPS 200
#define PGV_LEAK_SAMPLES 60

typedef struct PgvLeakGroup
{
	char		application_name[NAMEDATALEN];
	char		client_addr[PGV_CLIENT_ADDR_BYTES]; /* "" = Unix socket */
	int32		session_counts[PGV_LEAK_SAMPLES];	/* by sample number, modulo */
} PgvLeakGroup;

typedef struct PgvLeakGroups
{
	int64		sample_count;	/* samples taken since server start */
	TimestampTz sampled_at[PGV_LEAK_SAMPLES];	/* by sample number, modulo */
	int32		group_count;
	PgvLeakGroup groups[PGV_LEAK_GROUPS];
} PgvLeakGroups;

/* The part of shared memory that they are. */
extern const PgvPart pgv_leak_groups_part;

/*
 * Adds a sample: these slots are what is connected now, in any order.  The
 * collector.
 */
extern void pgv_leak_groups_sample(PgvBackendSlot *const *slots, int count, TimestampTz now);

/* A copy in the current memory context. */
extern PgvLeakGroups *pgv_leak_groups_copy(void);

/*
 * How many sessions the group of this slot had at that time: in the first sample
 * from then on.  -1 if there is none yet.
 */
extern int	pgv_leak_group_size_at(const PgvLeakGroups *groups, const PgvBackendSlot *slot,
								   TimestampTz then);

/* Orders slots by group, agents' connections apart; 0 = the same group. */
extern int	pgv_leak_group_compare(const PgvBackendSlot *a, const PgvBackendSlot *b);

#endif							/* PGV_LEAK_GROUPS_H */
