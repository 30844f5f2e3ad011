/*-------------------------------------------------------------------------
 *
 * repetition.c
 *	  Statements that an application sends many times within one transaction.
 *
 * extension/src/stats/repetition.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/xact.h"
#include "stats/backend_slot.h"
#include "stats/repetition.h"
#include "storage/shmem.h"
#include "utils/guc.h"

/* Places of the local table that a query id may be at. */
#define PROBES 4

/* Sent once is not sent again. */
#define LOWEST_THRESHOLD 2

/* The table in shared memory. */
typedef struct PgvRepetitions
{
	int32		count;			/* entries in use: the first ones */
	PgvRepetition entries[FLEXIBLE_ARRAY_MEMBER];
} PgvRepetitions;

uint32		pgv_counted_transaction = 1;
uint32		pgv_counted_highest = 0;
PgvCountedQuery pgv_counted_queries[PGV_COUNTED_QUERIES];

static int	repetition_threshold = 10;
static int	max_repeated_statements = 500;
static PgvRepetitions *repetitions = NULL;

/* The texts of counted queries that have been sent often enough. */
static char counted_texts[PGV_COUNTED_QUERIES][PGV_REPEATED_TEXT_BYTES];

void
pgv_repetition_define_settings(void)
{
	DefineCustomIntVariable("pgvalet.repetition_threshold",
							"A statement that one transaction sends this often is shown in pgvalet.repeated_statements.",
							"0 turns it off; 1 is taken for 2.",
							&repetition_threshold,
							10, 0, 1000000,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("pgvalet.max_repeated_statements",
							"Number of statements kept in pgvalet.repeated_statements.",
							"A new one takes the place of the one that was seen least recently.",
							&max_repeated_statements,
							500, 1, 10000,
							PGC_POSTMASTER, 0,
							NULL, NULL, NULL);
}

static Size
repetition_size(void)
{
	return add_size(offsetof(PgvRepetitions, entries),
					mul_size(max_repeated_statements, sizeof(PgvRepetition)));
}

static void
repetition_make(void)
{
	bool		found;

	repetitions = ShmemInitStruct("pgvalet repetitions", repetition_size(), &found);
	if (!found)
		memset(repetitions, 0, repetition_size());
}

static void
repetition_entries(int64 *used, int64 *limit)
{
	*used = repetitions->count;
	*limit = max_repeated_statements;
}

static void
repetition_reset(void)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_REPETITION), LW_EXCLUSIVE);
	repetitions->count = 0;
	LWLockRelease(pgv_lock(PGV_LOCK_REPETITION));
}

const PgvPart pgv_repetition_part = {
	.name = "repeated statements",
	.size = repetition_size,
	.make = repetition_make,
	.count = repetition_entries,
	.reset = repetition_reset,
};

/* The place of a query in the local table, made if there is room, else NULL. */
static PgvCountedQuery *
find_counted(int64 query_id)
{
	for (int i = 0; i < PROBES; i++)
	{
		PgvCountedQuery *query = &pgv_counted_queries[(query_id + i) & (PGV_COUNTED_QUERIES - 1)];

		if (query->transaction != pgv_counted_transaction)
		{
			query->query_id = query_id;
			query->transaction = pgv_counted_transaction;
			query->count = 0;
			return query;
		}
		if (query->query_id == query_id)
			return query;
	}
	return NULL;
}

/* Keeps the beginning of a statement, without the others sent with it. */
static void
keep_text(char *to, const PlannedStmt *plan, const char *source)
{
	const char *from = source + Max(plan->stmt_location, 0);
	const char *end = plan->stmt_len > 0 ? from + plan->stmt_len : NULL;
	size_t		room = PGV_REPEATED_TEXT_BYTES;

	while (from != end && *from != '\0' && strchr(" \t\n\r", *from) != NULL)
		from++;
	if (end != NULL)
		room = Min(room, (size_t) (end - from) + 1);
	strlcpy(to, from, room);
}

void
pgv_repetition_count_again(int64 query_id, const PlannedStmt *plan, const char *source)
{
	PgvCountedQuery *query = find_counted(query_id);
	uint32		threshold = Max(repetition_threshold, LOWEST_THRESHOLD);

	if (query == NULL || repetition_threshold == 0 || query_id == 0)
		return;
	query->count++;
	if (query->count == threshold)
		keep_text(counted_texts[query - pgv_counted_queries], plan, source);
	if (query->count >= threshold)
		pgv_counted_highest = Max(pgv_counted_highest, query->count);
}

/*
 * The entry of a statement of this session, made if it is not there.
 *
 * REQUIRES: the lock is held exclusively.
 */
static PgvRepetition *
find_or_make(int64 query_id, TimestampTz now)
{
	PgvRepetition *oldest = NULL;
	PgvRepetition *entry;

	for (int i = 0; i < repetitions->count; i++)
	{
		entry = &repetitions->entries[i];
		if (entry->query_id == query_id && entry->database_id == pgv_my_slot->database_id &&
			strcmp(entry->application_name, pgv_my_slot->application_name) == 0)
			return entry;
		if (oldest == NULL || entry->last_seen_at < oldest->last_seen_at)
			oldest = entry;
	}
	entry = repetitions->count < max_repeated_statements ?
		&repetitions->entries[repetitions->count++] : oldest;
	memset(entry, 0, sizeof(*entry));
	strlcpy(entry->application_name, pgv_my_slot->application_name, NAMEDATALEN);
	entry->database_id = pgv_my_slot->database_id;
	entry->query_id = query_id;
	entry->first_seen_at = now;
	return entry;
}

void
pgv_repetition_note(void)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();

	pgv_counted_highest = 0;
	LWLockAcquire(pgv_lock(PGV_LOCK_REPETITION), LW_EXCLUSIVE);
	for (int i = 0; i < PGV_COUNTED_QUERIES; i++)
	{
		const PgvCountedQuery *query = &pgv_counted_queries[i];
		PgvRepetition *entry;

		if (query->transaction != pgv_counted_transaction ||
			counted_texts[i][0] == '\0')
			continue;
		entry = find_or_make(query->query_id, now);
		entry->transaction_count++;
		entry->execution_count += query->count;
		entry->highest_count = Max(entry->highest_count, query->count);
		entry->last_seen_at = now;
		memcpy(entry->text, counted_texts[i], sizeof(entry->text));
		counted_texts[i][0] = '\0';
	}
	LWLockRelease(pgv_lock(PGV_LOCK_REPETITION));
}

PgvRepetition *
pgv_repetitions_read(int *count)
{
	/* Not palloc under the lock: all entries always fit. */
	PgvRepetition *copy = palloc(mul_size(max_repeated_statements, sizeof(PgvRepetition)));

	LWLockAcquire(pgv_lock(PGV_LOCK_REPETITION), LW_SHARED);
	*count = repetitions->count;
	memcpy(copy, repetitions->entries, *count * sizeof(PgvRepetition));
	LWLockRelease(pgv_lock(PGV_LOCK_REPETITION));
	return copy;
}
