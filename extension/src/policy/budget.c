/*-------------------------------------------------------------------------
 *
 * budget.c
 *	  Connection budgets: counting and taking places.
 *
 * extension/src/policy/budget.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "policy/budget.h"
#include "policy/policy_settings.h"
#include "stats/event_log.h"
#include "stats/session_end.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* At most one event per budget and second: storms of logins refill the ring. */
#define EVENT_AGAIN_US INT64CONST(1000000)

/* How soon a change of roles is looked for while there are budgets, milliseconds. */
#define LOOK_AGAIN_MS 1000L

#define SEAT_WORDS (PGV_MAX_BUDGETS / 64)

/* In which budgets a session counts, by role and database; bits by place. */
typedef struct PgvBudgetSeat
{
	int32		pid;			/* of the session, 0 = none yet */
	uint32		generation;		/* of the budgets that the bits are for */
	uint64		bits[SEAT_WORDS];
} PgvBudgetSeat;

static PgvBudgetSeat *seats = NULL;

static Size
seats_size(void)
{
	return mul_size(MaxBackends, sizeof(PgvBudgetSeat));
}

static void
seats_make(void)
{
	bool		found;

	seats = ShmemInitStruct("pgvalet budget seats", seats_size(), &found);
	if (!found)
		memset(seats, 0, seats_size());
}

void
pgv_budget_prepare(PgvBudgetClaim *claim)
{
	memset(claim, 0, sizeof(*claim));
	claim->is_needed = pgv_policy_has_budgets();
	if (!claim->is_needed)
		return;
	claim->is_superuser = GetSessionUserIsSuperuser();
	if (pgv_policy_budgets_need_members())
	{
		pgv_catalogs_begin();
		pgv_identity_look_up(GetAuthenticatedUserId(), MyDatabaseId, &claim->identity);
		pgv_catalogs_end();
		return;
	}
	namestrcpy(&claim->own_name, MyProcPort->user_name);
	strlcpy(claim->identity.database_name, MyProcPort->database_name,
			sizeof(claim->identity.database_name));
	claim->identity.role_count = 1;
	claim->identity.role_names = &claim->own_name;
}

/* In which budgets a session of this identity counts.  REQUIRES: PGV_LOCK_POLICY. */
static PgvBudgetSeat
seat_for(int32 pid, const PgvIdentity *identity)
{
	PgvBudgetSeat seat = {.pid = pid,.generation = pgv_policy_generation()};
	int			count;
	const PgvBudgetEntry *entries = pgv_policy_budgets(&count);

	for (int i = 0; i < count; i++)
	{
		if (pgv_identity_matches(identity, &entries[i].budget.match))
			seat.bits[i / 64] |= UINT64CONST(1) << (i % 64);
	}
	return seat;
}

static bool
has_seat(const PgvBudgetSeat *seat, int budget)
{
	return (seat->bits[budget / 64] & (UINT64CONST(1) << (budget % 64))) != 0;
}

/* Live sessions that count in a budget.  REQUIRES: both locks. */
static void
count_use(const PgvBudget *budget, int place, int32 *agent_count, int32 *direct_count)
{
	uint32		generation = pgv_policy_generation();

	*agent_count = *direct_count = 0;
	for (int i = 0; i < MaxBackends; i++)
	{
		const PgvBackendSlot *slot = &pgv_slots->slots[i].slot;

		if (slot->phase != PGV_SLOT_LIVE || seats[i].pid != slot->pid ||
			seats[i].generation != generation || !has_seat(&seats[i], place) ||
			!pgv_application_matches(&budget->match, slot->application_name))
			continue;
		if (slot->agent_name[0] != '\0')
			(*agent_count)++;
		else
			(*direct_count)++;
	}
}

/* How many there may be with a session of this identity. */
static int32
limit_for(const PgvBudget *budget, const PgvIdentity *identity)
{
	if (budget->reserved_connections == 0 ||
		pgv_identity_is_one_of(identity, &budget->reserved_for))
		return budget->max_connections;
	return budget->max_connections - budget->reserved_connections;
}

/* Notes that a budget has no room, and whether that is to be told. */
static void
note_refusal(PgvBudgetRefusal *refusal, PgvBudgetEntry *entry, int32 used,
			 const PgvBackendSlot *fresh)
{
	TimestampTz now = GetCurrentTimestamp();

	if (entry->budget.is_dry_run)
		entry->would_refuse_count++;
	else
		entry->refused_count++;
	refusal->is_refused = true;
	refusal->is_dry_run = entry->budget.is_dry_run;
	refusal->used = used;
	refusal->max_connections = entry->budget.max_connections;
	refusal->reserved_connections = entry->budget.reserved_connections;
	strlcpy(refusal->name, entry->budget.name, sizeof(refusal->name));
	refusal->session = *fresh;

	refusal->is_event_due = (now - entry->event_at >= EVENT_AGAIN_US);
	refusal->untold_count = entry->untold_count;
	if (refusal->is_event_due)
	{
		entry->event_at = now;
		entry->untold_count = 0;
	}
	else
		entry->untold_count++;
}

/*
 * Counts the use of all budgets of a session, into used by place; false if one
 * has no room for it, which is noted.
 */
static bool
has_room(const PgvBudgetClaim *claim, const PgvBudgetSeat *seat, const PgvBackendSlot *fresh,
		 int32 *used, PgvBudgetRefusal *refusal)
{
	int			count;
	PgvBudgetEntry *entries = pgv_policy_budgets(&count);

	for (int i = 0; i < count; i++)
	{
		int32		agent_count;
		int32		direct_count;

		used[i] = -1;
		if (!has_seat(seat, i) ||
			!pgv_application_matches(&entries[i].budget.match, fresh->application_name))
			continue;
		count_use(&entries[i].budget, i, &agent_count, &direct_count);
		used[i] = agent_count + direct_count;
		if (claim->is_superuser || used[i] < limit_for(&entries[i].budget, &claim->identity))
			continue;
		note_refusal(refusal, &entries[i], used[i], fresh);
		if (!refusal->is_dry_run)
			return false;
	}
	return true;
}

bool
pgv_budget_claim(const PgvBudgetClaim *claim, const PgvBackendSlot *fresh,
				 PgvBudgetRefusal *refusal)
{
	int32		used[PGV_MAX_BUDGETS];
	int			count;
	PgvBudgetEntry *entries;
	PgvBudgetSeat seat;
	bool		may_enter;

	refusal->is_refused = false;
	if (!claim->is_needed)
		return true;

	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_SHARED);
	entries = pgv_policy_budgets(&count);
	seat = seat_for(fresh->pid, &claim->identity);
	may_enter = has_room(claim, &seat, fresh, used, refusal);
	for (int i = 0; i < count && may_enter; i++)
	{
		if (used[i] + 1 > entries[i].highest)
		{
			entries[i].highest = used[i] + 1;
			entries[i].highest_at = GetCurrentTimestamp();
		}
	}
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
	if (may_enter)
		seats[pgv_my_backend_index()] = seat;
	return may_enter;
}

/* What there is to say in numbers. */
static char *
describe(const PgvBudgetRefusal *refusal)
{
	if (refusal->reserved_connections == 0)
		return psprintf("%d of %d connections are in use", refusal->used, refusal->max_connections);
	return psprintf("%d of %d connections are in use, %d are reserved", refusal->used,
					refusal->max_connections, refusal->reserved_connections);
}

static void
record(const PgvBudgetRefusal *refusal)
{
	PgvEvent	event = {.kind = PGV_EVENT_BUDGET_REFUSED,.is_dry_run = refusal->is_dry_run};

	if (!refusal->is_event_due)
		return;
	pgv_event_describe(&event, &refusal->session);
	strlcpy(event.rule_name, refusal->name, sizeof(event.rule_name));
	if (refusal->untold_count > 0)
		pgv_event_add(&event, "%s; " INT64_FORMAT " more since the last event", describe(refusal),
					  refusal->untold_count);
	else
		pgv_event_add(&event, "%s", describe(refusal));
}

void
pgv_budget_record_dry_run(const PgvBudgetRefusal *refusal)
{
	if (refusal->is_refused)
		record(refusal);
}

void
pgv_budget_refuse(const PgvBudgetRefusal *refusal)
{
	record(refusal);
	pgv_end_by_rule(refusal->name);
	ereport(FATAL,
			(errcode(ERRCODE_TOO_MANY_CONNECTIONS),
			 errmsg("too many connections for budget \"%s\" of pgvalet.connection_budget",
					refusal->name),
			 errdetail("%s.", describe(refusal)),
			 errhint("Close connections that are not used, or use a connection pool. %s",
					 pgv_policy_contact[0] != '\0' ? pgv_policy_contact :
					 "Ask the administrator of the server about the budget.")));
	pg_unreachable();
}

PgvBudgetUse *
pgv_budget_read(int *count)
{
	PgvBudgetUse *uses = palloc(PGV_MAX_BUDGETS * sizeof(PgvBudgetUse));
	PgvBudgetEntry *entries;

	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_SHARED);
	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_SHARED);
	entries = pgv_policy_budgets(count);
	for (int i = 0; i < *count; i++)
	{
		uses[i].entry = entries[i];
		count_use(&entries[i].budget, i, &uses[i].agent_count, &uses[i].direct_count);
	}
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
	return uses;
}

/* Gives a live session the seats that are its now, if it has others. */
static void
renew_seat(int index, const PgvBackendSlot *slot)
{
	const PgvIdentity *identity = pgv_identity_cached(slot->role_id, slot->database_id);
	PgvBudgetSeat seat;

	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_EXCLUSIVE);
	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_SHARED);
	if (pgv_slots->slots[index].slot.pid == slot->pid)
	{
		seat = seat_for(slot->pid, identity);
		seats[index] = seat;
	}
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
}

/* Renews the seats of all sessions when budgets, roles or databases have changed. */
static long
budget_upkeep(TimestampTz now)
{
	static uint32 seen_generation = 0;
	static uint32 seen_identities = 0;
	uint32		generation = pgv_policy_generation();
	uint32		identities;
	PgvBackendSlot slot;

	if (!pgv_policy_has_budgets())
		return PGV_NO_UPKEEP;
	pgv_catalogs_begin();
	identities = pgv_identity_refresh();
	if (generation != seen_generation || identities != seen_identities)
	{
		for (int i = 0; i < MaxBackends; i++)
		{
			if (pgv_slot_copy(i, &slot) && slot.phase == PGV_SLOT_LIVE)
				renew_seat(i, &slot);
		}
		seen_generation = generation;
		seen_identities = identities;
	}
	pgv_catalogs_end();
	return LOOK_AGAIN_MS;
}

const PgvPart pgv_budget_part = {
	.name = "budgets",
	.size = seats_size,
	.make = seats_make,
	.upkeep = budget_upkeep,
};
