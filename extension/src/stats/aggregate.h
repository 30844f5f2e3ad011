/*-------------------------------------------------------------------------
 *
 * aggregate.h
 *	  What ended sessions cost, per role, per database and per application.
 *
 * Writer	Whoever holds PGV_LOCK_SLOTS exclusively: a backend that claims its
 *			slot or changes its application_name, and the collector when it
 *			folds ended slots.
 * Readers	Whoever holds it at least shared.  An entry has only what is over;
 *			live slots are added while reading, under the same lock, so nothing
 *			is missed or counted twice.
 * Lifetime	Entries are made as names appear.  When a table is full, further
 *			names share one entry that is called "(other)"; but an application
 *			takes the place of the one that no slot has had for longest, whose
 *			counters go to "(other)", or any client could fill the table for
 *			good.  An entry that a slot points to keeps its address.  A restart
 *			forgets all.
 *
 * extension/src/stats/aggregate.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_AGGREGATE_H
#define PGV_AGGREGATE_H

#include "postgres.h"

#include "lib/ilist.h"
#include "stats/backend_slot.h"
#include "stats/usage.h"

/* The name of the entry for everything that found no room. */
#define PGV_OTHER_NAME "(other)"

typedef enum PgvDimension
{
	PGV_BY_ROLE,
	PGV_BY_DATABASE,
	PGV_BY_APPLICATION
} PgvDimension;

#define PGV_DIMENSIONS 3

typedef union PgvAggregateKey
{
	Oid			object_id;		/* role or database */
	char		name[NAMEDATALEN];	/* application_name */
} PgvAggregateKey;

typedef struct PgvAggregate
{
	PgvAggregateKey key;		/* must be first, for the hash table */
	int32		number;			/* its row: 0, 1, ... as they appear, or that of the
								 * one whose place it took; the entry "(other)"
								 * has the highest possible */
	int32		slot_count;		/* slots that point to it; applications only */
	dlist_node	unused_link;	/* place among those that have none */
	int64		session_count;	/* sessions that came by, live ones included */
	int64		login_count;	/* those that logged in as this */
	int64		reset_session_count;	/* ended sessions at the last reset */
	PgvUsage	reset_usage;	/* what is not shown since the last reset */
	PgvUsage	ended;			/* what is over: ended sessions, and parts of
								 * live ones under another application_name */
} PgvAggregate;

/* One entry as of now: with the live sessions added. */
typedef struct PgvAggregateRow
{
	PgvAggregateKey key;
	bool		is_other;		/* key means nothing: the entry "(other)" */
	bool		is_used;		/* false: the row is not to be shown */
	int64		session_count;
	int64		live_session_count;
	int64		login_count;	/* since the server started, whatever was reset */
	PgvUsage	usage;
} PgvAggregateRow;

/* The part of shared memory that they are. */
extern const PgvPart pgv_aggregate_part;

/* How many entries a dimension may have, not counting "(other)". */
extern int	pgv_aggregate_limit(PgvDimension dimension);

/*
 * Finds the entry of a role or database, and makes it if there is room, else
 * returns the entry "(other)".
 *
 * REQUIRES: PGV_LOCK_SLOTS is held exclusively.
 */
extern PgvAggregate *pgv_aggregate_of_object(PgvDimension dimension, Oid object_id);

/*
 * Same for the application of one more slot, and when a slot goes on under another
 * name.  Leave the old one first: the new one may take its place.
 */
extern PgvAggregate *pgv_aggregate_enter_application(const char *name);
extern void pgv_aggregate_leave_application(PgvAggregate *application);

/*
 * How often an entry has given its place to another.  Who reads several tables by
 * number looks before and afterwards, and reads again if it has changed.
 */
extern uint32 pgv_aggregate_moves(void);

/*
 * Adds an ended slot to its three entries and frees it.  Does nothing to a slot
 * that is live or free.
 *
 * REQUIRES: PGV_LOCK_SLOTS is held exclusively.
 */
extern void pgv_aggregate_fold(PgvBackendSlot *slot);

/* Folds all slots that have ended; costs little if there is none. */
extern void pgv_aggregate_fold_all(void);

/*
 * Reads a whole table: what it has had since the last reset.  Returns an array in
 * the current memory context and its length in *count; rows with is_used == false
 * have no meaning.
 */
extern PgvAggregateRow *pgv_aggregate_read(PgvDimension dimension, int *count);

/* Same since the server started: readers that take differences know no reset. */
extern PgvAggregateRow *pgv_aggregate_read_whole(PgvDimension dimension, int *count);

#endif							/* PGV_AGGREGATE_H */
