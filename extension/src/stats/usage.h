/*-------------------------------------------------------------------------
 *
 * usage.h
 *	  What sessions cost: the counters that one backend, one role, one
 *	  database or one application has.
 *
 * Plain data: who writes it and who protects it is said where one lives
 * (backend_slot.h, aggregate.h).  Counters only grow.  The members, in this
 * order, are the last columns of pgvalet.backends and pgvalet.usage().
 *
 * extension/src/stats/usage.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_USAGE_H
#define PGV_USAGE_H

#include "postgres.h"

typedef struct PgvUsage
{
	int64		xact_commit_count;	/* transactions committed */
	int64		xact_rollback_count;	/* transactions rolled back */
	int64		statement_count;	/* statements that succeeded */
	int64		row_count;		/* rows sent, or changed without being sent */
	int64		error_count;	/* errors sent to the client */
	int64		sent_bytes;		/* protocol messages to the client, bytes */
	int64		block_hit_count;	/* blocks found in shared or local buffers */
	int64		block_read_count;	/* blocks read into them */
	int64		block_written_count;	/* blocks written from them */
	int64		temp_bytes;		/* written to temporary files, bytes */
	int64		wal_bytes;		/* write-ahead log, bytes */
	int64		active_us;		/* working on commands, microseconds */
	int64		idle_us;		/* waiting outside a transaction, microseconds */
	int64		idle_in_transaction_us; /* waiting inside one, microseconds */
} PgvUsage;

#define PGV_USAGE_COUNTERS ((int) (sizeof(PgvUsage) / sizeof(int64)))

StaticAssertDecl(sizeof(PgvUsage) == 14 * sizeof(int64),
				 "PgvUsage is read as an array of counters");

/* Adds every counter of more to total. */
static inline void
pgv_usage_add(PgvUsage *total, const PgvUsage *more)
{
	int64	   *to = (int64 *) total;
	const int64 *from = (const int64 *) more;

	for (int i = 0; i < PGV_USAGE_COUNTERS; i++)
		to[i] += from[i];
}

/* Takes every counter of less off total. */
static inline void
pgv_usage_subtract(PgvUsage *total, const PgvUsage *less)
{
	int64	   *to = (int64 *) total;
	const int64 *from = (const int64 *) less;

	for (int i = 0; i < PGV_USAGE_COUNTERS; i++)
		to[i] -= from[i];
}

#endif							/* PGV_USAGE_H */
