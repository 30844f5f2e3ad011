/*-------------------------------------------------------------------------
 *
 * aggregate.c
 *	  Tables in shared memory of what ended sessions cost.
 *
 * extension/src/stats/aggregate.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "stats/aggregate.h"
#include "stats/distribution.h"
#include "stats/ended_sessions.h"
#include "stats/rates.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

/* What there is beside the hash tables. */
typedef struct PgvOthers
{
	PgvAggregate entries[PGV_DIMENSIONS];	/* the entries "(other)" */
	dlist_head	unused;			/* applications without a slot, longest first */
	pg_atomic_uint32 moves;		/* entries that gave their place to another */
} PgvOthers;

static PgvOthers *shared = NULL;

/* The entries "(other)", one per dimension. */
static PgvAggregate *others = NULL;

/* All other entries, one hash table per dimension. */
static HTAB *tables[PGV_DIMENSIONS];

static const char *const table_names[PGV_DIMENSIONS] =
{
	[PGV_BY_ROLE] = "pgvalet roles",
	[PGV_BY_DATABASE] = "pgvalet databases",
	[PGV_BY_APPLICATION] = "pgvalet applications",
};

int
pgv_aggregate_limit(PgvDimension dimension)
{
	switch (dimension)
	{
		case PGV_BY_ROLE:
			return pgv_max_roles;
		case PGV_BY_DATABASE:
			return pgv_max_databases;
		case PGV_BY_APPLICATION:
			break;
	}
	return pgv_max_applications;
}

static Size
aggregate_size(void)
{
	Size		size = sizeof(PgvOthers);

	for (int i = 0; i < PGV_DIMENSIONS; i++)
		size = add_size(size, hash_estimate_size(pgv_aggregate_limit(i), sizeof(PgvAggregate)));
	return size;
}

static void
aggregate_make(void)
{
	bool		found;

	shared = ShmemInitStruct("pgvalet others", sizeof(PgvOthers), &found);
	if (!found)
	{
		memset(shared, 0, sizeof(PgvOthers));
		dlist_init(&shared->unused);
		pg_atomic_init_u32(&shared->moves, 0);
	}
	others = shared->entries;

	for (int i = 0; i < PGV_DIMENSIONS; i++)
	{
		HASHCTL		info = {0};
		bool		by_name = (i == PGV_BY_APPLICATION);

		info.keysize = by_name ? NAMEDATALEN : sizeof(Oid);
		info.entrysize = sizeof(PgvAggregate);
		tables[i] = ShmemInitHash(table_names[i], pgv_aggregate_limit(i), pgv_aggregate_limit(i), &info,
								  HASH_ELEM | (by_name ? HASH_STRINGS : HASH_BLOBS));
		others[i].number = pgv_aggregate_limit(i);
	}
}

/*
 * Finds or makes an entry.  The hash table itself could grow beyond its limit
 * at the cost of shared memory that others need, so the limit is checked here.
 */
static PgvAggregate *
find_or_make(PgvDimension dimension, const void *key)
{
	HTAB	   *table = tables[dimension];
	int			count = hash_get_num_entries(table);
	bool		found;
	PgvAggregate *entry;

	entry = hash_search(table, key, count < pgv_aggregate_limit(dimension) ? HASH_ENTER_NULL : HASH_FIND,
						&found);
	if (entry == NULL)
		return &others[dimension];
	if (!found)
	{
		Size		after_key = offsetof(PgvAggregate, number);

		memset((char *) entry + after_key, 0, sizeof(PgvAggregate) - after_key);
		entry->number = count;
	}
	return entry;
}

PgvAggregate *
pgv_aggregate_of_object(PgvDimension dimension, Oid object_id)
{
	Assert(dimension != PGV_BY_APPLICATION);
	return find_or_make(dimension, &object_id);
}

uint32
pgv_aggregate_moves(void)
{
	return pg_atomic_read_u32(&shared->moves);
}

void
pgv_aggregate_leave_application(PgvAggregate *application)
{
	if (application == &others[PGV_BY_APPLICATION])
		return;
	Assert(application->slot_count > 0);
	if (--application->slot_count == 0)
		dlist_push_tail(&shared->unused, &application->unused_link);
}

void
pgv_aggregate_fold(PgvBackendSlot *slot)
{
	Assert(LWLockHeldByMeInMode(pgv_lock(PGV_LOCK_SLOTS), LW_EXCLUSIVE));
	if (slot->phase != PGV_SLOT_ENDED)
		return;
	pg_read_barrier();

	pgv_usage_add(&slot->role->ended, &slot->usage);
	pgv_usage_add(&slot->database->ended, &slot->usage);
	pgv_usage_add(&slot->application->ended, &slot->usage);
	pgv_usage_subtract(&slot->application->ended, &slot->application_base);
	pgv_ended_sessions_add(slot);
	pgv_distribution_flush(slot);
	pgv_distribution_count_ended(slot, PGV_SESSION_TIME, slot->ended_at - slot->connected_at);
	pgv_aggregate_leave_application(slot->application);

	pgv_slot_begin_write(slot);
	slot->phase = PGV_SLOT_FREE;
	pgv_slot_end_write(slot);
}

/*
 * Makes room for one more application: the one that no slot has had for longest
 * goes into "(other)" with all it has, so that sums stay as they are.  Returns the
 * number that is free then, or -1 if all are in use.
 */
static int
make_room(void)
{
	PgvAggregate *other = &others[PGV_BY_APPLICATION];
	PgvAggregate *entry;
	int			number;

	/* Slots of sessions that have ended keep their names until they are folded. */
	for (int i = 0; i < MaxBackends && dlist_is_empty(&shared->unused); i++)
		pgv_aggregate_fold(&pgv_slots->slots[i].slot);
	if (dlist_is_empty(&shared->unused))
		return -1;
	entry = dlist_container(PgvAggregate, unused_link, dlist_pop_head_node(&shared->unused));
	number = entry->number;
	other->session_count += entry->session_count;
	other->login_count += entry->login_count;
	other->reset_session_count += entry->reset_session_count;
	pgv_usage_add(&other->reset_usage, &entry->reset_usage);
	pgv_usage_add(&other->ended, &entry->ended);
	pgv_distribution_move(PGV_BY_APPLICATION, number, other->number);
	pgv_rates_move(PGV_BY_APPLICATION, number, other->number, &shared->moves);
	hash_search(tables[PGV_BY_APPLICATION], entry->key.name, HASH_REMOVE, NULL);
	return number;
}

PgvAggregate *
pgv_aggregate_enter_application(const char *name)
{
	PgvAggregate *other = &others[PGV_BY_APPLICATION];
	PgvAggregate *entry;
	int			number;

	/* A client that calls itself so means the overflow entry. */
	if (strcmp(name, PGV_OTHER_NAME) == 0)
		return other;
	entry = find_or_make(PGV_BY_APPLICATION, name);
	if (entry == other && (number = make_room()) >= 0)
	{
		entry = find_or_make(PGV_BY_APPLICATION, name);
		/* Not the last one, as find_or_make() thinks. */
		if (entry != other)
			entry->number = number;
	}
	if (entry == other)
		return other;
	if (entry->slot_count++ == 0 && entry->unused_link.next != NULL)
		dlist_delete(&entry->unused_link);
	return entry;
}

/* Starts the row of an entry with what is over. */
static void
start_row(PgvAggregateRow *row, const PgvAggregate *entry, bool is_other)
{
	row->key = entry->key;
	row->is_other = is_other;
	row->is_used = !is_other || entry->session_count > 0;
	row->session_count = entry->session_count;
	row->live_session_count = 0;
	row->login_count = entry->login_count;
	row->usage = entry->ended;
}

/* Adds what a slot has not yet left in the entry that its usage goes to. */
static void
add_slot(PgvAggregateRow *rows, PgvDimension dimension, const PgvBackendSlot *slot,
		 TimestampTz now)
{
	const PgvAggregate *entry;
	PgvAggregateRow *row;

	if (dimension == PGV_BY_ROLE)
		entry = slot->role;
	else if (dimension == PGV_BY_DATABASE)
		entry = slot->database;
	else
		entry = slot->application;

	row = &rows[entry->number];
	if (slot->phase == PGV_SLOT_LIVE)
		row->live_session_count++;
	pgv_usage_add(&row->usage, &slot->usage);
	pgv_slot_add_running_time(slot, &row->usage, now);
	if (dimension == PGV_BY_APPLICATION)
		pgv_usage_subtract(&row->usage, &slot->application_base);
}

/* Room for all rows of a table. */
static PgvAggregateRow *
make_rows(PgvDimension dimension, int *count)
{
	*count = pgv_aggregate_limit(dimension) + 1;
	return palloc0(*count * sizeof(PgvAggregateRow));
}

/* Starts the rows of a table with what is over. */
static void
start_rows(PgvAggregateRow *rows, PgvDimension dimension)
{
	HASH_SEQ_STATUS scan;
	PgvAggregate *entry;

	hash_seq_init(&scan, tables[dimension]);
	while ((entry = hash_seq_search(&scan)) != NULL)
		start_row(&rows[entry->number], entry, false);
	start_row(&rows[pgv_aggregate_limit(dimension)], &others[dimension], true);
}

/*
 * Fills in the rows of a table.
 *
 * REQUIRES: PGV_LOCK_SLOTS is held.
 */
static void
fill_rows(PgvAggregateRow *rows, PgvDimension dimension)
{
	TimestampTz now;
	PgvBackendSlot slot;

	start_rows(rows, dimension);
	now = GetCurrentTimestamp();
	for (int i = 0; i < MaxBackends; i++)
	{
		if (pgv_slot_copy(i, &slot))
			add_slot(rows, dimension, &slot, now);
	}
}

/*
 * Takes off a row what was there at the last reset.  Times of live sessions step
 * back by microseconds now and then, and so might go below it.
 */
static void
subtract_reset(PgvAggregateRow *row, const PgvAggregate *entry)
{
	int64	   *counters = (int64 *) &row->usage;
	bool		any = false;

	pgv_usage_subtract(&row->usage, &entry->reset_usage);
	for (int i = 0; i < PGV_USAGE_COUNTERS; i++)
	{
		counters[i] = Max(counters[i], 0);
		any = any || counters[i] > 0;
	}
	/* A session that comes back to an old application_name counts no more. */
	row->session_count = Max(row->session_count - entry->reset_session_count,
							 row->live_session_count);
	row->is_used = row->is_used && (any || row->session_count > 0);
}

PgvAggregateRow *
pgv_aggregate_read(PgvDimension dimension, int *count)
{
	PgvAggregateRow *rows = make_rows(dimension, count);
	HASH_SEQ_STATUS scan;
	PgvAggregate *entry;

	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_SHARED);
	fill_rows(rows, dimension);
	hash_seq_init(&scan, tables[dimension]);
	while ((entry = hash_seq_search(&scan)) != NULL)
		subtract_reset(&rows[entry->number], entry);
	subtract_reset(&rows[*count - 1], &others[dimension]);
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
	return rows;
}

PgvAggregateRow *
pgv_aggregate_read_whole(PgvDimension dimension, int *count)
{
	PgvAggregateRow *rows = make_rows(dimension, count);

	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_SHARED);
	fill_rows(rows, dimension);
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
	return rows;
}

/* Remembers what an entry has now, so that it is not shown any more. */
static void
reset_entry(PgvAggregate *entry, const PgvAggregateRow *row)
{
	entry->reset_usage = row->usage;
	entry->reset_session_count = row->session_count - row->live_session_count;
}

static void
reset_entries(PgvDimension dimension, const PgvAggregateRow *rows)
{
	HASH_SEQ_STATUS scan;
	PgvAggregate *entry;

	hash_seq_init(&scan, tables[dimension]);
	while ((entry = hash_seq_search(&scan)) != NULL)
		reset_entry(entry, &rows[entry->number]);
	reset_entry(&others[dimension], &rows[pgv_aggregate_limit(dimension)]);
}

/*
 * Nothing is set to 0: live sessions go on counting in their own slots, and
 * readers that take differences are to notice nothing.  Each slot is copied
 * once for all tables, or what its session does meanwhile would be before the
 * reset in one of them and behind it in another.
 */
static void
aggregate_reset(void)
{
	PgvAggregateRow *rows[PGV_DIMENSIONS];
	TimestampTz now;
	PgvBackendSlot slot;
	int			count;

	for (int i = 0; i < PGV_DIMENSIONS; i++)
		rows[i] = make_rows(i, &count);

	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_EXCLUSIVE);
	for (int i = 0; i < PGV_DIMENSIONS; i++)
		start_rows(rows[i], i);
	now = GetCurrentTimestamp();
	for (int place = 0; place < MaxBackends; place++)
	{
		if (!pgv_slot_copy(place, &slot))
			continue;
		for (int i = 0; i < PGV_DIMENSIONS; i++)
			add_slot(rows[i], i, &slot, now);
	}
	for (int i = 0; i < PGV_DIMENSIONS; i++)
		reset_entries(i, rows[i]);
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));

	for (int i = 0; i < PGV_DIMENSIONS; i++)
		pfree(rows[i]);
}

/* Entries of all tables. */
static void
aggregate_count(int64 *used, int64 *limit)
{
	*used = *limit = 0;
	for (int i = 0; i < PGV_DIMENSIONS; i++)
	{
		*used += hash_get_num_entries(tables[i]);
		*limit += pgv_aggregate_limit(i);
	}
}

void
pgv_aggregate_fold_all(void)
{
	bool		any = false;

	for (int i = 0; i < MaxBackends && !any; i++)
		any = (pgv_slots->slots[i].slot.phase == PGV_SLOT_ENDED);
	if (!any)
		return;

	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_EXCLUSIVE);
	for (int i = 0; i < MaxBackends; i++)
		pgv_aggregate_fold(&pgv_slots->slots[i].slot);
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
}

static long
aggregate_upkeep(TimestampTz now)
{
	pgv_aggregate_fold_all();
	return PGV_NO_UPKEEP;
}

const PgvPart pgv_aggregate_part = {
	.name = "usage",
	.size = aggregate_size,
	.make = aggregate_make,
	.count = aggregate_count,
	.reset = aggregate_reset,
	.upkeep = aggregate_upkeep,
};
