/*-------------------------------------------------------------------------
 *
 * budget_seats.c
 *	  In which connection budgets each session counts, and how many do in each.
 *
 * extension/src/policy/budget_seats.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "policy/budget_seats.h"
#include "policy/policy_table.h"
#include "port/pg_bitutils.h"
#include "stats/backend_slot.h"
#include "storage/shmem.h"
#include "utils/inval.h"

/* How soon a change of roles is looked for while there are budgets, milliseconds. */
#define LOOK_AGAIN_MS 1000L

typedef struct PgvBudgetSeats
{
	pg_atomic_uint32 generation;
	PgvBudgetSeat seats[FLEXIBLE_ARRAY_MEMBER]; /* MaxBackends */
} PgvBudgetSeats;

/* A seat that many sessions have. */
typedef struct PgvKnownSeat
{
	Oid			key[2];			/* role, database */
	PgvBudgetSeat seat;
} PgvKnownSeat;

static PgvBudgetSeats *shared = NULL;

static Size
seats_size(void)
{
	return add_size(offsetof(PgvBudgetSeats, seats), mul_size(MaxBackends, sizeof(PgvBudgetSeat)));
}

static void
seats_make(void)
{
	bool		found;

	shared = ShmemInitStruct("pgvalet budget seats", seats_size(), &found);
	if (found)
		return;
	memset(shared, 0, seats_size());
	pg_atomic_init_u32(&shared->generation, 0);
}

uint32
pgv_seats_generation(void)
{
	uint32		generation = pg_atomic_read_u32(&shared->generation);

	pg_read_barrier();
	return generation;
}

static void
put_bit(PgvBudgetSeat *seat, int place, bool value)
{
	uint64		bit = UINT64CONST(1) << (place % 64);

	if (value)
		seat->bits[place / 64] |= bit;
	else
		seat->bits[place / 64] &= ~bit;
}

PgvBudgetSeat
pgv_seat_among(const PgvIdentity *identity, const PgvBudget *budgets, int count)
{
	PgvBudgetSeat seat = {0};

	for (int i = 0; i < count; i++)
		put_bit(&seat, i, pgv_identity_matches(identity, &budgets[i].match));
	return seat;
}

PgvBudgetSeat
pgv_seat_in_force(const PgvIdentity *identity)
{
	PgvBudgetSeat seat = {0};
	int			count;
	const PgvBudgetEntry *entries;

	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_SHARED);
	entries = pgv_policy_budgets(&count);
	for (int i = 0; i < count; i++)
		put_bit(&seat, i, pgv_identity_matches(identity, &entries[i].budget.match));
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
	return seat;
}

/* The budgets in force that ask for an application. */
static PgvBudgetSeat
budgets_with_pattern(void)
{
	PgvBudgetSeat seat = {0};
	int			count;
	const PgvBudgetEntry *entries = pgv_policy_budgets(&count);

	for (int i = 0; i < count; i++)
		put_bit(&seat, i, entries[i].budget.match.has_pattern);
	return seat;
}

/* Takes off a seat those of the budgets with a pattern that another application has. */
static void
drop_other_applications(PgvBudgetSeat *seat, const PgvBudgetSeat *with_pattern,
						const char *application_name)
{
	int			count;
	const PgvBudgetEntry *entries = pgv_policy_budgets(&count);

	for (int word = 0; word < PGV_SEAT_WORDS; word++)
	{
		uint64		bits = seat->bits[word] & with_pattern->bits[word];

		for (; bits != 0; bits &= bits - 1)
		{
			int			place = word * 64 + pg_rightmost_one_pos64(bits);

			if (!pgv_application_matches(&entries[place].budget.match, application_name))
				put_bit(seat, place, false);
		}
	}
}

PgvBudgetSeat
pgv_seat_of_application(const PgvBudgetSeat *seat, const char *application_name)
{
	PgvBudgetSeat with_pattern = budgets_with_pattern();
	PgvBudgetSeat left = *seat;

	drop_other_applications(&left, &with_pattern, application_name);
	return left;
}

void
pgv_seat_take(const PgvBudgetSeat *seat)
{
	shared->seats[pgv_my_backend_index()] = *seat;
}

/* Adds 1 to the counts of all budgets of a seat: binary addition with carry. */
static void
add_seat(PgvSeatCounts *counts, const PgvBudgetSeat *seat)
{
	for (int word = 0; word < PGV_SEAT_WORDS; word++)
	{
		uint64		carry = seat->bits[word];

		for (int digit = 0; carry != 0 && digit < PGV_SEAT_DIGITS; digit++)
		{
			uint64		both = counts->digits[digit][word] & carry;

			counts->digits[digit][word] ^= carry;
			carry = both;
		}
	}
}

int32
pgv_seats_counted(const PgvSeatCounts *counts, int place)
{
	int32		count = 0;

	for (int digit = 0; digit < PGV_SEAT_DIGITS; digit++)
	{
		if (counts->digits[digit][place / 64] & (UINT64CONST(1) << (place % 64)))
			count |= 1 << digit;
	}
	return count;
}

void
pgv_seats_count(const PgvBudgetSeat *wanted, PgvSeatCounts *others, PgvSeatCounts *agents)
{
	PgvBudgetSeat with_pattern = budgets_with_pattern();

	memset(others, 0, sizeof(*others));
	if (agents != NULL)
		memset(agents, 0, sizeof(*agents));
	for (int i = 0; i < MaxBackends; i++)
	{
		const PgvBackendSlot *slot = &pgv_slots->slots[i].slot;
		PgvBudgetSeat seat = shared->seats[i];

		if (slot->phase != PGV_SLOT_LIVE)
			continue;
		for (int word = 0; word < PGV_SEAT_WORDS; word++)
			seat.bits[word] &= wanted->bits[word];
		drop_other_applications(&seat, &with_pattern, slot->application_name);
		add_seat(agents != NULL && slot->agent_name[0] != '\0' ? agents : others, &seat);
	}
}

/* Notes the seat of all sessions of a role in a database. */
static void
plan_for(HTAB *known, const PgvBackendSlot *slot, const PgvBudget *budgets, int count)
{
	Oid			key[2] = {slot->role_id, slot->database_id};
	PgvBudgetSeat seat;
	PgvKnownSeat *entry;

	if (hash_search(known, key, HASH_FIND, NULL) != NULL)
		return;
	/* An error in here must not leave half an entry. */
	seat = pgv_seat_among(pgv_identity_cached(key[0], key[1]), budgets, count);
	entry = hash_search(known, key, HASH_ENTER, NULL);
	entry->seat = seat;
}

PgvSeatPlan *
pgv_seats_plan(const PgvBudget *budgets, int count)
{
	PgvSeatPlan *plan = palloc0(sizeof(PgvSeatPlan));
	HASHCTL		info = {0};
	PgvBackendSlot slot;

	plan->generation = pgv_seats_generation();
	plan->seats = palloc0(mul_size(MaxBackends, sizeof(PgvBudgetSeat)));
	if (count == 0)
		return plan;

	AcceptInvalidationMessages();
	(void) pgv_identity_refresh();
	info.keysize = sizeof(Oid) * 2;
	info.entrysize = sizeof(PgvKnownSeat);
	info.hcxt = CurrentMemoryContext;
	plan->known = hash_create("pgvalet planned seats", 64, &info,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (int i = 0; i < MaxBackends; i++)
	{
		if (pgv_slot_copy(i, &slot) && slot.phase == PGV_SLOT_LIVE)
			plan_for(plan->known, &slot, budgets, count);
	}
	return plan;
}

/* Finds the seats of all sessions; false if one came whose seat is not known. */
static bool
find_seats(PgvSeatPlan *plan)
{
	for (int i = 0; i < MaxBackends && plan->known != NULL; i++)
	{
		const PgvBackendSlot *slot = &pgv_slots->slots[i].slot;
		Oid			key[2] = {slot->role_id, slot->database_id};
		const PgvKnownSeat *entry;

		if (slot->phase != PGV_SLOT_LIVE)
			continue;
		entry = hash_search(plan->known, key, HASH_FIND, NULL);
		if (entry == NULL)
			return false;
		plan->seats[i] = entry->seat;
	}
	return true;
}

static void
forget_plan(PgvSeatPlan *plan)
{
	if (plan->known != NULL)
		hash_destroy(plan->known);
	pfree(plan->seats);
	pfree(plan);
}

bool
pgv_seats_begin(PgvSeatPlan *plan)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_EXCLUSIVE);
	if (plan->generation == pgv_seats_generation() && find_seats(plan))
		return true;
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
	forget_plan(plan);
	return false;
}

void
pgv_seats_end(PgvSeatPlan *plan)
{
	memcpy(shared->seats, plan->seats, mul_size(MaxBackends, sizeof(PgvBudgetSeat)));
	pg_atomic_fetch_add_u32(&shared->generation, 1);
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
	forget_plan(plan);
}

/* Renews the seats of all sessions among the budgets in force. */
static void
renew_seats(void)
{
	PgvBudget  *budgets = palloc(PGV_MAX_BUDGETS * sizeof(PgvBudget));
	PgvSeatPlan *plan;

	do
	{
		uint32		generation = pgv_seats_generation();
		int			count = pgv_policy_copy_budgets(budgets);

		plan = pgv_seats_plan(budgets, count);
		plan->generation = generation;
	} while (!pgv_seats_begin(plan));
	pgv_seats_end(plan);
	pfree(budgets);
}

/* Renews seats when roles or databases have changed. */
static long
seats_upkeep(TimestampTz now)
{
	static uint32 seen_identities = 0;
	uint32		identities;

	if (!pgv_policy_has_budgets())
		return PGV_NO_UPKEEP;
	pgv_catalogs_begin();
	identities = pgv_identity_refresh();
	if (identities != seen_identities)
		renew_seats();
	seen_identities = identities;
	pgv_catalogs_end();
	return LOOK_AGAIN_MS;
}

const PgvPart pgv_budget_seats_part = {
	.name = "budgets",
	.size = seats_size,
	.make = seats_make,
	.upkeep = seats_upkeep,
};
