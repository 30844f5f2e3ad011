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
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* At most one event per budget and second: storms of logins refill the ring. */
#define EVENT_AGAIN_US INT64CONST(1000000)

/* Finds out who this backend's session is, as far as budgets ask. */
static void
find_identity(PgvBudgetClaim *claim)
{
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

void
pgv_budget_prepare(PgvBudgetClaim *claim)
{
	memset(claim, 0, sizeof(*claim));
	claim->generation = pgv_seats_generation();
	claim->is_needed = pgv_policy_has_budgets();
	if (!claim->is_needed)
		return;
	claim->is_superuser = GetSessionUserIsSuperuser();
	find_identity(claim);
	claim->seat = pgv_seat_in_force(&claim->identity);
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

/* Whether all budgets of the session have room; one that has not is noted. */
static bool
has_room(const PgvBudgetClaim *claim, const PgvBudgetSeat *seat, const PgvSeatCounts *counts,
		 const PgvBackendSlot *fresh, PgvBudgetRefusal *refusal)
{
	int			count;
	PgvBudgetEntry *entries = pgv_policy_budgets(&count);

	for (int i = 0; i < count && !claim->is_superuser; i++)
	{
		int32		used;

		if (!pgv_seat_has(seat, i))
			continue;
		used = pgv_seats_counted(counts, i);
		if (used < limit_for(&entries[i].budget, &claim->identity))
			continue;
		note_refusal(refusal, &entries[i], used, fresh);
		if (!refusal->is_dry_run)
			return false;
	}
	return true;
}

/* Notes how many there are with this session. */
static void
note_highest(const PgvBudgetSeat *seat, const PgvSeatCounts *counts)
{
	int			count;
	PgvBudgetEntry *entries = pgv_policy_budgets(&count);

	for (int i = 0; i < count; i++)
	{
		int32		used;

		if (!pgv_seat_has(seat, i))
			continue;
		used = pgv_seats_counted(counts, i) + 1;
		if (used > entries[i].highest)
		{
			entries[i].highest = used;
			entries[i].highest_at = GetCurrentTimestamp();
		}
	}
}

PgvBudgetAnswer
pgv_budget_claim(const PgvBudgetClaim *claim, const PgvBackendSlot *fresh,
				 PgvBudgetRefusal *refusal)
{
	PgvBudgetSeat counting;
	PgvSeatCounts counts;
	bool		may_enter;

	refusal->is_refused = false;
	if (claim->generation != pgv_seats_generation())
		return PGV_BUDGET_ASK_AGAIN;
	if (!claim->is_needed)
		return PGV_BUDGET_GRANTED;

	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_SHARED);
	counting = pgv_seat_of_application(&claim->seat, fresh->application_name);
	pgv_seats_count(&counting, &counts, NULL);
	may_enter = has_room(claim, &counting, &counts, fresh, refusal);
	if (may_enter)
		note_highest(&counting, &counts);
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
	if (!may_enter)
		return PGV_BUDGET_REFUSED;
	pgv_seat_take(&claim->seat);
	return PGV_BUDGET_GRANTED;
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
	PgvBudgetSeat all;
	PgvSeatCounts others;
	PgvSeatCounts agents;
	PgvBudgetEntry *entries;

	memset(&all, 0xff, sizeof(all));
	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_SHARED);
	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_SHARED);
	entries = pgv_policy_budgets(count);
	if (*count > 0)
		pgv_seats_count(&all, &others, &agents);
	for (int i = 0; i < *count; i++)
	{
		uses[i].entry = entries[i];
		uses[i].agent_count = pgv_seats_counted(&agents, i);
		uses[i].direct_count = pgv_seats_counted(&others, i);
	}
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
	return uses;
}
