/*-------------------------------------------------------------------------
 *
 * ring.h
 *	  Ring of numbered entries in shared memory: the new one takes the place of
 *	  the oldest.
 *
 * An entry is a struct that begins with an int64, its sequence number: 1, 2, ...
 * in the order of adding.  Numbers are never given twice, so a reader who
 * remembers the last one he saw knows how many he missed.
 *
 * Writer	Whoever holds exclusively the lock of the room that owns the ring.
 * Readers	Whoever holds it at least shared.
 * Protocol	An entry is written before its number, and its number before the
 *			ring's: of a writer who dies half-way nothing is left but the loss
 *			of the oldest entry.  So a ring can be taken over from memory that
 *			was left behind by a crash.
 *
 * extension/src/base/ring.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_RING_H
#define PGV_RING_H

#include "postgres.h"

#include "storage/lwlock.h"

typedef struct PgvRing
{
	int32		capacity;		/* places for entries */
	int32		entry_bytes;	/* size of each */
	int64		last_sequence;	/* highest number given, 0 = none */
	int64		first_sequence; /* lowest number still there, if any is */
	char		entries[FLEXIBLE_ARRAY_MEMBER]; /* number n is at (n - 1) % capacity */
} PgvRing;

/* Bytes of a ring for so many entries of this size. */
extern Size pgv_ring_size(int capacity, Size entry_bytes);

/* Makes an empty one. */
extern void pgv_ring_init(PgvRing *ring, int capacity, Size entry_bytes);

/* Adds a copy of an entry and returns the number it got. */
extern int64 pgv_ring_add(PgvRing *ring, const void *entry);

/* Forgets the entries, not their numbers: a reader has lost them. */
extern void pgv_ring_forget(PgvRing *ring);

/* How many entries there are. */
extern int pgv_ring_count(const PgvRing *ring);

/*
 * Copies the entries behind this number, oldest first, into the current memory
 * context; *count is how many.  *lost is how many there were that are gone.  Takes
 * the lock of the ring for some hundred entries at a time, so that writers do not
 * wait for a reader of a large ring; what is added meanwhile is left out.
 */
extern void *pgv_ring_read(const PgvRing *ring, LWLock *lock, int64 sequence, int *count,
						   int64 *lost);

/*
 * Fills an empty ring with what a ring of an earlier life had, of which the
 * first size bytes of old are a copy.  The copy may have another capacity, and
 * anything may stand in it.  mend says whether an entry makes sense, and makes
 * its strings end; the newest entries up to the first without sense are taken.
 * Returns false, and leaves the ring empty, if old is no such ring.
 */
extern bool pgv_ring_take_over(PgvRing *ring, void *old, Size size, bool (*mend) (void *entry));

#endif							/* PGV_RING_H */
