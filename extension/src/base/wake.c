/*-------------------------------------------------------------------------
 *
 * wake.c
 *	  How everybody reaches the collector.
 *
 * extension/src/base/wake.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/wake.h"
#include "storage/shmem.h"

typedef struct PgvWake
{
	Latch	   *latch;			/* of the collector, NULL while it does not run */
} PgvWake;

static PgvWake *wake = NULL;

static Size
wake_size(void)
{
	return sizeof(PgvWake);
}

static void
wake_make(void)
{
	bool		found;

	wake = ShmemInitStruct("pgvalet collector", wake_size(), &found);
	if (!found)
		wake->latch = NULL;
}

const PgvPart pgv_wake_part = {
	.name = "collector",
	.size = wake_size,
	.make = wake_make,
};

void
pgv_wake_collector(void)
{
	Latch	   *latch = *((Latch *volatile *) &wake->latch);

	if (latch != NULL)
		SetLatch(latch);
}

void
pgv_wake_set_latch(Latch *latch)
{
	wake->latch = latch;
}
