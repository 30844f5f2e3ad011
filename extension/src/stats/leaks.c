/*-------------------------------------------------------------------------
 *
 * leaks.c
 *	  Which sessions look as if their application had forgotten them.
 *
 * What speaks for it is weighed in leak_score.c.
 *
 * extension/src/stats/leaks.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include <limits.h>

#include "access/transam.h"
#include "stats/holdings.h"
#include "stats/leak_groups.h"
#include "stats/leak_score.h"
#include "stats/leaks.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Samples, and times of opening, per pgvalet.leak_idle. */
#define STEPS_PER_IDLE 10

/* So many sessions that an application lost by habit are a leak of their own. */
#define GROUP_LEAK 3

const char *const pgv_leak_kind_names[PGV_LEAK_KINDS] = {
	[PGV_LEAK_IDLE_IN_TRANSACTION] = "idle in transaction",
	[PGV_LEAK_UNUSED] = "unused",
	[PGV_LEAK_GROUP] = "group",
};

static int	leak_idle_ms = 600000;
static int	leak_idle_in_transaction_ms = 60000;
static char *leak_ignored_applications = NULL;

/* Sessions that were made an event, by slot: when they had connected. */
typedef struct PgvLeakAnnounced
{
	TimestampTz sampled_at;		/* when the collector took a sample last */
	TimestampTz connected_at[FLEXIBLE_ARRAY_MEMBER];	/* MaxBackends */
} PgvLeakAnnounced;

static PgvLeakAnnounced *announced = NULL;

/* A live session, with what its group tells of it. */
typedef struct PgvCandidate
{
	PgvBackendSlot slot;
	int			index;			/* of the slot */
	int			group_number;	/* sessions with the same one are of one group */
	int			group_size;
	int			opening;		/* number of the time at which it was opened;
								 * it grows within a group */
} PgvCandidate;

void
pgv_leaks_define_settings(void)
{
	DefineCustomIntVariable("pgvalet.leak_idle",
							"A direct session that waits this long outside a transaction may be leaked.",
							"It is taken for leaked if its application goes on to open others. 0 turns it off.",
							&leak_idle_ms,
							600000, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomIntVariable("pgvalet.leak_idle_in_transaction",
							"A session that waits this long inside a transaction is taken for leaked.",
							"0 turns it off.",
							&leak_idle_in_transaction_ms,
							60000, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomStringVariable("pgvalet.leak_ignored_applications",
							   "Applications whose waiting sessions are never taken for leaked, separated by commas.",
							   "A name that ends in * stands for all that begin so. People leave their tools open.",
							   &leak_ignored_applications,
							   "psql, pgAdmin*, DBeaver*, DataGrip*, TablePlus*",
							   PGC_SIGHUP, 0,
							   NULL, NULL, NULL);
}

/* Whether an application is in the list of those that are left alone. */
static bool
is_ignored(const char *name)
{
	const char *item = leak_ignored_applications;

	while (*item != '\0')
	{
		size_t		length;

		item += strspn(item, ", ");
		length = strcspn(item, ",");
		while (length > 0 && item[length - 1] == ' ')
			length--;
		if (length > 0 && item[length - 1] == '*')
		{
			if (strncmp(name, item, length - 1) == 0)
				return true;
		}
		else if (length > 0 && strlen(name) == length && strncmp(name, item, length) == 0)
			return true;
		item += strcspn(item, ",");
	}
	return false;
}

/* Times of opening that are closer than this are one, microseconds. */
static int64
step_us(void)
{
	int			limit_ms = leak_idle_ms > 0 ? leak_idle_ms : leak_idle_in_transaction_ms;

	return Max((int64) limit_ms * 1000 / STEPS_PER_IDLE, 1000);
}

/* By group, and within it in the order of their connecting. */
static int
compare_candidates(const void *a, const void *b)
{
	const PgvCandidate *left = a;
	const PgvCandidate *right = b;
	int			order = pgv_leak_group_compare(&left->slot, &right->slot);

	if (order != 0)
		return order;
	if (left->slot.connected_at != right->slot.connected_at)
		return left->slot.connected_at < right->slot.connected_at ? -1 : 1;
	return left->index - right->index;
}

/* Gives the sorted candidates their group's number and size, and their opening. */
static void
find_groups(PgvCandidate *candidates, int count)
{
	int			first = 0;

	while (first < count)
	{
		TimestampTz opened_at = candidates[first].slot.connected_at;
		int			opening = 0;
		int			end = first;

		for (; end < count &&
			 pgv_leak_group_compare(&candidates[first].slot, &candidates[end].slot) == 0; end++)
		{
			if (candidates[end].slot.connected_at - opened_at >= step_us())
			{
				opened_at = candidates[end].slot.connected_at;
				opening++;
			}
			candidates[end].group_number = first;
			candidates[end].opening = opening;
		}
		for (int i = first; i < end; i++)
			candidates[i].group_size = end - first;
		first = end;
	}
}

/* The live sessions, by group. */
static PgvCandidate *
read_candidates(int *count)
{
	PgvCandidate *candidates = palloc_extended(mul_size(MaxBackends, sizeof(PgvCandidate)),
											   MCXT_ALLOC_HUGE);

	*count = 0;
	for (int i = 0; i < MaxBackends; i++)
	{
		PgvCandidate *candidate = &candidates[*count];

		if (!pgv_slot_copy(i, &candidate->slot) || candidate->slot.phase != PGV_SLOT_LIVE)
			continue;
		candidate->index = i;
		(*count)++;
	}
	qsort(candidates, *count, sizeof(PgvCandidate), compare_candidates);
	find_groups(candidates, *count);
	return candidates;
}

/* At how many times the application has opened connections since then. */
static int
openings_since(const PgvCandidate *candidates, int count, const PgvCandidate *candidate,
			   TimestampTz then)
{
	int			end = candidate->group_number + candidate->group_size;
	int			openings = 0;
	int			last_opening = -1;

	Assert(end <= count);
	for (int i = end - 1; i >= candidate->group_number; i--)
	{
		if (candidates[i].slot.connected_at <= then)
			break;
		if (candidates[i].opening != last_opening)
			openings++;
		last_opening = candidates[i].opening;
	}
	return openings;
}

static bool
is_long_in_transaction(const PgvBackendSlot *slot, TimestampTz now)
{
	return leak_idle_in_transaction_ms > 0 &&
		(slot->state == PGV_STATE_IDLE_IN_TRANSACTION ||
		 slot->state == PGV_STATE_IDLE_IN_FAILED_TRANSACTION) &&
		now - slot->state_since >= (int64) leak_idle_in_transaction_ms * 1000;
}

/* Tools are their user's. */
static bool
is_long_unused(const PgvBackendSlot *slot, TimestampTz now)
{
	return leak_idle_ms > 0 &&
		slot->state == PGV_STATE_IDLE &&
		now - slot->state_since >= (int64) leak_idle_ms * 1000 &&
		!is_ignored(slot->application_name);
}

/* What the application has done since this session was used. */
static PgvLeakHabit
find_habit(const PgvCandidate *candidates, int count, const PgvCandidate *candidate,
		   const PgvLeakGroups *groups)
{
	const PgvBackendSlot *slot = &candidate->slot;
	int			size_then = pgv_leak_group_size_at(groups, slot, slot->state_since + step_us());
	PgvLeakHabit habit = {0};

	/* An agent opens connections as its clients need them. */
	if (slot->agent_name[0] != '\0')
		return habit;
	habit.openings = openings_since(candidates, count, candidate, slot->state_since);
	habit.growth = size_then < 0 ? 0 : candidate->group_size - size_then;
	return habit;
}

/*
 * Adds the groups that have several leaked sessions, behind the sessions.  The
 * sessions of a group lie next to each other.
 */
static int
add_groups(PgvLeak *leaks, int count, const int *group_numbers)
{
	int			all = count;
	int			first = 0;

	while (first < count)
	{
		int			end = first;
		int			leaked = 0;
		int			lost_by_habit = 0;
		double		highest = 0;

		for (; end < count && group_numbers[end] == group_numbers[first]; end++)
		{
			if (leaks[end].kind != PGV_LEAK_UNUSED || leaks[end].score < PGV_LEAKED_SCORE)
				continue;
			leaked++;
			lost_by_habit += leaks[end].has_habit;
			highest = Max(highest, leaks[end].score);
		}
		for (int i = first; i < end; i++)
			leaks[i].leaked_count = leaked;
		if (lost_by_habit >= GROUP_LEAK)
		{
			leaks[all] = leaks[first];
			pgv_leak_judge_group(&leaks[all++], highest);
		}
		first = end;
	}
	return all;
}

/* Whether a session waits for so long that it is to be judged. */
static bool
is_long_waiting(const PgvBackendSlot *slot, TimestampTz now)
{
	return is_long_in_transaction(slot, now) || is_long_unused(slot, now);
}

/* Reads who waits for locks, if there is a session to be judged. */
static PgvLockWaits
read_lock_waits(const PgvCandidate *candidates, int count, TimestampTz now)
{
	PgvLockWaits none = {0};

	for (int i = 0; i < count; i++)
	{
		if (is_long_waiting(&candidates[i].slot, now))
			return pgv_lock_waits_read();
	}
	return none;
}

PgvLeak *
pgv_leaks_find(TimestampTz now, int *count)
{
	PgvLeakGroups *groups = pgv_leak_groups_copy();
	TransactionId next_xid = ReadNextTransactionId();
	int			live_count;
	PgvCandidate *candidates = read_candidates(&live_count);
	PgvLockWaits waits = read_lock_waits(candidates, live_count, now);
	PgvLeak    *leaks = palloc_extended(mul_size(Max(live_count, 1) * 2, sizeof(PgvLeak)),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int		   *group_numbers = palloc(Max(live_count, 1) * sizeof(int));

	*count = 0;
	for (int i = 0; i < live_count; i++)
	{
		const PgvCandidate *candidate = &candidates[i];
		PgvLeak    *leak = &leaks[*count];

		if (!is_long_waiting(&candidate->slot, now))
			continue;
		leak->slot = candidate->slot;
		leak->session_count = candidate->group_size;
		leak->xmin_age = pgv_xmin_age(GetPGProcByNumber(candidate->index), next_xid);
		leak->blocked_pids = pgv_lock_waits_behind(&waits, leak->slot.pid, &leak->blocked_count);
		if (is_long_in_transaction(&leak->slot, now))
			pgv_leak_judge_transaction(leak, (int64) leak_idle_in_transaction_ms * 1000, now);
		else if (leak->slot.agent_name[0] == '\0' || leak->blocked_count > 0)
		{
			PgvLeakHabit habit = find_habit(candidates, live_count, candidate, groups);

			pgv_leak_judge_unused(leak, &habit, now);
		}
		else
			continue;			/* a spare of an agent's pool: its business */
		group_numbers[(*count)++] = candidate->group_number;
	}
	*count = add_groups(leaks, *count, group_numbers);
	return leaks;
}

/* Takes a sample of the sizes of all groups. */
static void
sample_groups(TimestampTz now)
{
	int			live_count;
	PgvCandidate *candidates = read_candidates(&live_count);
	PgvBackendSlot **direct = palloc(Max(live_count, 1) * sizeof(PgvBackendSlot *));
	int			direct_count = 0;

	for (int i = 0; i < live_count; i++)
	{
		if (candidates[i].slot.agent_name[0] == '\0')
			direct[direct_count++] = &candidates[i].slot;
	}
	pgv_leak_groups_sample(direct, direct_count, now);
}

/* Makes an event of a leak, the first time that this session is one. */
static void
announce(const PgvLeak *leak)
{
	PgvEvent	event = {.kind = PGV_EVENT_LEAK_FOUND};

	for (int i = 0; i < MaxBackends; i++)
	{
		if (pgv_slots->slots[i].slot.pid != leak->slot.pid)
			continue;
		if (announced->connected_at[i] == leak->slot.connected_at)
			return;
		announced->connected_at[i] = leak->slot.connected_at;
	}
	pgv_event_describe(&event, &leak->slot);
	pgv_event_add(&event, "%s (score %.2f)", leak->reason, leak->score);
}

/* Samples once per step, and makes events of what is new. */
static long
leaks_upkeep(TimestampTz now)
{
	MemoryContext context;
	MemoryContext old_context;
	PgvLeak    *leaks;
	int			count;

	if (leak_idle_ms == 0 && leak_idle_in_transaction_ms == 0)
		return PGV_NO_UPKEEP;
	/* A time to come is one before the clock was set back. */
	if (announced->sampled_at <= now && now - announced->sampled_at < step_us())
		return Max((announced->sampled_at + step_us() - now + 999) / 1000, 1);
	announced->sampled_at = now;

	context = AllocSetContextCreate(CurrentMemoryContext, "pgvalet leaks", ALLOCSET_DEFAULT_SIZES);
	old_context = MemoryContextSwitchTo(context);
	sample_groups(now);
	leaks = pgv_leaks_find(now, &count);
	for (int i = 0; i < count; i++)
	{
		if (leaks[i].kind != PGV_LEAK_GROUP && leaks[i].score >= PGV_LEAKED_SCORE)
			announce(&leaks[i]);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	return step_us() / 1000;
}

static Size
announced_size(void)
{
	return add_size(offsetof(PgvLeakAnnounced, connected_at),
					mul_size(MaxBackends, sizeof(TimestampTz)));
}

static void
announced_make(void)
{
	bool		found;

	announced = ShmemInitStruct("pgvalet leaks", announced_size(), &found);
	if (!found)
		memset(announced, 0, announced_size());
}

const PgvPart pgv_leaks_part = {
	.name = "leak events",
	.size = announced_size,
	.make = announced_make,
	.upkeep = leaks_upkeep,
};
