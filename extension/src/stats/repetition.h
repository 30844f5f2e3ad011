/*-------------------------------------------------------------------------
 *
 * repetition.h
 *	  Statements that an application sends many times within one transaction,
 *	  where one would do.
 *
 * Counting is the backend's own: a small table of the query ids of its open
 * transaction.  Only when a transaction ends that has sent one of them at least
 * pgvalet.repetition_threshold times, that is noted in shared memory.
 *
 * Writer	Any client backend, under PGV_LOCK_REPETITION.
 * Readers	Any process, from a copy.
 * Lifetime	pgvalet.max_repeated_statements entries, made at server start.  When
 *			all are in use, the one that was seen least recently makes room.
 *
 * extension/src/stats/repetition.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_REPETITION_H
#define PGV_REPETITION_H

#include "postgres.h"

#include "base/part.h"
#include "datatype/timestamp.h"
#include "nodes/plannodes.h"

/* Room for the beginning of a statement, with its terminating zero. */
#define PGV_REPEATED_TEXT_BYTES 300

/* Query ids of one transaction that are counted, a power of two; further ones are not. */
#define PGV_COUNTED_QUERIES 64

typedef struct PgvRepetition
{
	char		application_name[NAMEDATALEN];
	Oid			database_id;
	int64		query_id;		/* 0 = empty place */
	int64		transaction_count;	/* that sent it often enough */
	int64		execution_count;	/* in these transactions */
	int64		highest_count;	/* in one of them */
	TimestampTz first_seen_at;
	TimestampTz last_seen_at;
	char		text[PGV_REPEATED_TEXT_BYTES];	/* as it was sent once, cut off
												 * by bytes, in the encoding of
												 * its database */
} PgvRepetition;

/* A statement of the open transaction. */
typedef struct PgvCountedQuery
{
	int64		query_id;
	uint32		transaction;	/* number of the transaction it is of */
	uint32		count;			/* how often it was sent there */
} PgvCountedQuery;

/* The part of shared memory that they are. */
extern const PgvPart pgv_repetition_part;

/* Number of the open transaction in this backend, and the highest count in it. */
extern uint32 pgv_counted_transaction;
extern uint32 pgv_counted_highest;

/* By query id; where is said in pgv_repetition_count_first(). */
extern PgvCountedQuery pgv_counted_queries[PGV_COUNTED_QUERIES];

/* pgvalet.repetition_*, pgvalet.max_repeated_statements.  Called once from _PG_init(). */
extern void pgv_repetition_define_settings(void);

/*
 * Counts a statement, a part of a source text, that was not counted by
 * pgv_repetition_count_first().
 */
extern void pgv_repetition_count_again(int64 query_id, const PlannedStmt *plan,
									   const char *source);

/* Notes what has been sent too often, and forgets all counts. */
extern void pgv_repetition_note(void);

/*
 * The open transaction executes a statement (0: unknown): counts it if it is the
 * first one at its place, else returns false.
 */
static inline bool
pgv_repetition_count_first(int64 query_id)
{
	PgvCountedQuery *query = &pgv_counted_queries[query_id & (PGV_COUNTED_QUERIES - 1)];

	if (unlikely(query->transaction == pgv_counted_transaction))
		return false;
	query->query_id = query_id;
	query->transaction = pgv_counted_transaction;
	query->count = 1;
	return true;
}

/* The transaction has ended, committed or not. */
static inline void
pgv_repetition_transaction_ended(void)
{
	if (unlikely(pgv_counted_highest > 0))
		pgv_repetition_note();
	pgv_counted_transaction++;
}

/* All entries, in no order, in the current memory context. */
extern PgvRepetition *pgv_repetitions_read(int *count);

#endif							/* PGV_REPETITION_H */
