/*-------------------------------------------------------------------------
 *
 * ring.c
 *	  Ring of numbered entries in shared memory.
 *
 * extension/src/base/ring.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/ring.h"
#include "port/atomics.h"
#include "storage/shmem.h"
#include "utils/palloc.h"

/* No ring gives so many numbers; a higher one is damage. */
#define HIGHEST_SEQUENCE (INT64CONST(1) << 53)

/* Entries that are copied at a time. */
#define BATCH 256

/* The place of the entry with this number. */
static char *
place_of(const PgvRing *ring, int64 sequence)
{
	Size		place = (Size) ((sequence - 1) % ring->capacity);

	return unconstify(PgvRing *, ring)->entries + place * (Size) ring->entry_bytes;
}

Size
pgv_ring_size(int capacity, Size entry_bytes)
{
	return add_size(offsetof(PgvRing, entries), mul_size(capacity, entry_bytes));
}

void
pgv_ring_init(PgvRing *ring, int capacity, Size entry_bytes)
{
	Assert(entry_bytes == MAXALIGN(entry_bytes));
	memset(ring, 0, pgv_ring_size(capacity, entry_bytes));
	ring->capacity = capacity;
	ring->entry_bytes = entry_bytes;
	ring->first_sequence = 1;
}

int64
pgv_ring_add(PgvRing *ring, const void *entry)
{
	int64		sequence = ring->last_sequence + 1;
	char	   *place = place_of(ring, sequence);

	*(int64 *) place = 0;
	pg_write_barrier();
	memcpy(place + sizeof(int64), (const char *) entry + sizeof(int64),
		   ring->entry_bytes - sizeof(int64));
	pg_write_barrier();
	*(int64 *) place = sequence;
	pg_write_barrier();
	ring->last_sequence = sequence;
	if (sequence - ring->first_sequence >= ring->capacity)
		ring->first_sequence = sequence - ring->capacity + 1;
	return sequence;
}

void
pgv_ring_forget(PgvRing *ring)
{
	ring->first_sequence = ring->last_sequence + 1;
}

int
pgv_ring_count(const PgvRing *ring)
{
	return (int) (ring->last_sequence + 1 - ring->first_sequence);
}

void *
pgv_ring_read(const PgvRing *ring, LWLock *lock, int64 sequence, int *count, int64 *lost)
{
	int64		asked = Min(Max(sequence, 0), HIGHEST_SEQUENCE) + 1;
	int64		first;			/* of the copy */
	int64		next;			/* to be copied */
	int64		last;
	char	   *copy;

	LWLockAcquire(lock, LW_SHARED);
	last = ring->last_sequence;
	first = next = Max(asked, ring->first_sequence);
	LWLockRelease(lock);
	copy = palloc_extended(mul_size(Max(last - first + 1, 1), ring->entry_bytes), MCXT_ALLOC_HUGE);

	while (next <= last)
	{
		LWLockAcquire(lock, LW_SHARED);
		/* Overtaken by writers, or by one who forgets all: begin anew behind the gap. */
		if (next < ring->first_sequence)
			first = next = Min(ring->first_sequence, last + 1);
		for (int i = 0; i < BATCH && next <= last; i++, next++)
			memcpy(copy + (Size) (next - first) * ring->entry_bytes, place_of(ring, next),
				   ring->entry_bytes);
		LWLockRelease(lock);
	}
	/* Who asks for more than there ever was has lost nothing. */
	*lost = Max(Min(first, last + 1) - asked, 0);
	*count = (int) Max(last + 1 - first, 0);
	return copy;
}

bool
pgv_ring_take_over(PgvRing *ring, void *old, Size size, bool (*mend) (void *entry))
{
	PgvRing    *from = (PgvRing *) old;
	int64		last;
	int64		first;

	if (size < offsetof(PgvRing, entries) ||
		from->entry_bytes != ring->entry_bytes || from->capacity <= 0 ||
		size < pgv_ring_size(from->capacity, from->entry_bytes) ||
		from->last_sequence < 0 || from->last_sequence > HIGHEST_SEQUENCE)
		return false;

	last = from->last_sequence;
	first = last + 1;
	while (first > 1 && first > from->first_sequence &&
		   last + 1 - first < Min(from->capacity, ring->capacity) &&
		   *(int64 *) place_of(from, first - 1) == first - 1 &&
		   mend(place_of(from, first - 1)))
		first--;

	for (int64 n = first; n <= last; n++)
		memcpy(place_of(ring, n), place_of(from, n), ring->entry_bytes);
	ring->first_sequence = first;
	ring->last_sequence = last;
	return true;
}
