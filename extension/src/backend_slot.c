/*-------------------------------------------------------------------------
 *
 * backend_slot.c
 *	  The array of slots in shared memory, and its consistent reading.
 *
 * extension/src/backend_slot.c
 *-------------------------------------------------------------------------
 */
#include "pg_compat.h"

#include "backend_slot.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

/* After so many torn copies, wait between tries, and finally take it as it is. */
#define COPY_TRIES_BEFORE_WAITING 1000
#define COPY_TRIES_WITH_WAITING 50
#define COPY_WAIT_US 100L

#define SLOTS_TRANCHE "pgvalet"

PgvSlots   *pgv_slots = NULL;
PgvBackendSlot *pgv_my_slot = NULL;

Size
pgv_slots_shmem_size(void)
{
	return add_size(offsetof(PgvSlots, slots),
					mul_size(MaxBackends + 1, sizeof(PgvBackendSlotPadded)));
}

void
pgv_slots_shmem_request(void)
{
	RequestAddinShmemSpace(pgv_slots_shmem_size());
	RequestNamedLWLockTranche(SLOTS_TRANCHE, 1);
}

void
pgv_slots_shmem_init(void)
{
	bool		found;

	pgv_slots = ShmemInitStruct("pgvalet slots", pgv_slots_shmem_size(), &found);
	if (found)
		return;

	memset(pgv_slots, 0, pgv_slots_shmem_size());
	pgv_slots->lock = &GetNamedLWLockTranche(SLOTS_TRANCHE)->lock;
	pgv_slots->started_at = GetCurrentTimestamp();
	pg_atomic_init_u32(&pgv_slots->live_count, 0);
	pg_atomic_init_u64(&pgv_slots->session_count, 0);
	for (int i = 0; i < MaxBackends; i++)
	{
		pg_atomic_init_u32(&pgv_slots->slots[i].slot.change_count, 0);
		pg_atomic_init_u32(&pgv_slots->slots[i].slot.policy_generation, 0);
	}
}

/* One try: returns false if the owner wrote meanwhile. */
static bool
try_copy(PgvBackendSlot *slot, PgvBackendSlot *copy)
{
	uint32		before = pg_atomic_read_u32(&slot->change_count);
	uint32		after;

	pg_read_barrier();
	memcpy(copy, slot, sizeof(PgvBackendSlot));
	pg_read_barrier();
	after = pg_atomic_read_u32(&slot->change_count);

	return before == after && (before & 1) == 0;
}

bool
pgv_slot_copy(int index, PgvBackendSlot *copy)
{
	PgvBackendSlot *slot = &pgv_slots->slots[index].slot;

	if (slot->phase == PGV_SLOT_FREE)
		return false;

	for (int attempt = 0; !try_copy(slot, copy); attempt++)
	{
		if (attempt >= COPY_TRIES_BEFORE_WAITING + COPY_TRIES_WITH_WAITING)
			break;
		if (attempt >= COPY_TRIES_BEFORE_WAITING)
			pg_usleep(COPY_WAIT_US);
	}
	return copy->phase != PGV_SLOT_FREE;
}
