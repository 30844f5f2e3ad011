/*-------------------------------------------------------------------------
 *
 * part.h
 *	  The parts of our shared memory: each room that owns some says how much,
 *	  makes it, looks after it and empties it.
 *
 * Writer	_PG_init() lists the parts in the postmaster; children inherit the
 *			list.  The times of the last resets are in shared memory.
 * Readers	pgvalet.c makes them, the collector looks after them, and
 *			pgvalet.memory and pgvalet.reset() go by their names.
 *
 * extension/src/base/part.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_PART_H
#define PGV_PART_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "storage/lwlock.h"

/* Nothing to look after: upkeep need not be called before the next wake-up. */
#define PGV_NO_UPKEEP (-1L)

/* A copy of a part's memory from an earlier life; see keep.h. */
typedef struct PgvKept
{
	TimestampTz at;				/* when it was made */
	bool		after_crash;	/* the memory was lost with processes that used it */
} PgvKept;

/* Our lightweight locks; what each protects says the room that takes it. */
typedef enum PgvLock
{
	PGV_LOCK_SLOTS,
	PGV_LOCK_EVENTS,
	PGV_LOCK_SESSIONS,
	PGV_LOCK_HISTORY,
	PGV_LOCK_RATES,
	PGV_LOCK_REPETITION,
	PGV_LOCK_POLICY,
	PGV_LOCK_LEAKS,
	PGV_LOCK_SAMPLES,
	PGV_LOCK_CLIENTS
} PgvLock;

#define PGV_LOCKS (PGV_LOCK_CLIENTS + 1)

typedef struct PgvPart
{
	const char *name;			/* in pgvalet.memory and pgvalet.reset() */

	/* Bytes of shared memory, as of the settings at server start. */
	Size		(*size) (void);

	/*
	 * Makes the memory, or finds it.  Called in every process that attaches,
	 * under AddinShmemInitLock.
	 */
	void		(*make) (void);

	/* Entries in use and entries there is room for; NULL: has none. */
	void		(*count) (int64 *used, int64 *limit);

	/* Forgets what was counted; NULL: there is nothing to forget. */
	void		(*reset) (void);

	/*
	 * Only in the collector, when it starts, is woken, or it is time: does what
	 * is due.  Returns in how many milliseconds it wants to be called at the
	 * latest, or PGV_NO_UPKEEP.  NULL: nothing to look after.
	 */
	long		(*upkeep) (TimestampTz now);

	/* Memory to be kept beyond our own life, and its size; NULL: none. */
	void	   *(*keep) (Size *size);

	/*
	 * Takes over what keep said in an earlier life, perhaps under other
	 * settings, perhaps damaged; copy may be written to.  Only in the postmaster,
	 * which must not fail and takes no lock.  Returns false if it cannot be used.
	 */
	bool		(*take_over) (void *copy, Size size, const PgvKept *kept);
} PgvPart;

/* Adds a part, which must live for ever.  Only from _PG_init(). */
extern void pgv_parts_add(const PgvPart *part);

/* All parts in the order in which they were added. */
extern const PgvPart *const *pgv_parts(int *count);

/* Requests and makes the memory of all parts, with our locks.  The postmaster. */
extern void pgv_parts_request(void);
extern void pgv_parts_make(void);

/* One of our locks, or NULL without preloading. */
extern LWLock *pgv_lock(PgvLock lock);

/*
 * Resets the part with this name, or every part that can be for "all".  Returns
 * false if there is no such part, or it cannot be reset.
 */
extern bool pgv_part_reset(const char *name);

/* When a part was reset last, by its place in pgv_parts(); 0 = never. */
extern TimestampTz pgv_part_reset_at(int place);

#endif							/* PGV_PART_H */
