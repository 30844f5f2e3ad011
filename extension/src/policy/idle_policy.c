/*-------------------------------------------------------------------------
 *
 * idle_policy.c
 *	  Looks which rule is for which session, and when it is due.
 *
 * extension/src/policy/idle_policy.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "policy/advisory_locks.h"
#include "policy/idle_policy.h"
#include "policy/policy_table.h"
#include "policy/rule_act.h"
#include "policy/rule_match.h"
#include "policy/verdict.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Between two looks at all sessions, milliseconds. */
#define LOOK_AGAIN_MOST_MS 1000L
#define LOOK_AGAIN_LEAST_MS 5L

/* A session that a lock spares is asked again after this, microseconds. */
#define SPARED_AGAIN_US INT64CONST(1000000)

/* The rules in force: of the table, of the generation, and of the settings. */
static PgvRule *rules = NULL;
static int	rule_count = 0;
static int	table_rule_count = 0;
static uint32 rules_generation = 0;
static bool need_identity = false;
static bool need_share = false;

/* When something can be due next, and the configuration that this is about. */
static TimestampTz next_look_at = 0;
static TimestampTz reloaded_at = 0;

/* A session that ends so that the share of used connections falls. */
typedef struct PgvCandidate
{
	PgvSituation situation;
	PgvBackendSlot slot;
	PgvAction	action;
} PgvCandidate;

/* One look at all sessions. */
typedef struct PgvLook
{
	TimestampTz now;
	TimestampTz soonest;		/* when the next action is due, DT_NOEND = none */
	int			connections;	/* connected, without those that are being ended */
	int			dry_connections;	/* and without those that dry runs would end */
	List	   *candidates;		/* of PgvCandidate */
	PgvLockHolders *lock_holders;	/* at this look, NULL = not yet asked for */
} PgvLook;

/* Brings our copy of the rules up to date. */
static void
take_rules(void)
{
	uint32		generation = pgv_policy_generation();

	/* Not static: every backend would have them between things that it needs often. */
	if (rules == NULL)
		rules = MemoryContextAlloc(TopMemoryContext,
								   (PGV_MAX_RULES + PGV_SETTINGS_RULES) * sizeof(PgvRule));
	if (generation != rules_generation)
	{
		/* Before the rules: if they change meanwhile, they are copied again. */
		rules_generation = generation;
		table_rule_count = pgv_policy_copy_rules(rules, NULL);
	}
	rule_count = table_rule_count + pgv_rules_of_settings(&rules[table_rule_count]);
	need_identity = pgv_rules_need_identity(rules, rule_count);
	need_share = false;
	for (int i = 0; i < rule_count; i++)
		need_share |= rules[i].min_used_share >= 0;
}

/* How long we may sleep if nothing is due, milliseconds. */
static long
longest_sleep_ms(void)
{
	int64		smallest_us = PG_INT64_MAX;

	for (int i = 0; i < rule_count; i++)
	{
		for (int action = 0; action < PGV_ACTIONS; action++)
		{
			if (rules[i].after_us[action] > 0)
				smallest_us = Min(smallest_us, rules[i].after_us[action]);
		}
	}
	return Max(LOOK_AGAIN_LEAST_MS, Min(LOOK_AGAIN_MOST_MS, smallest_us / 2000));
}

/* What was done in another situation, or by another rule, does not count. */
static void
begin_progress(const PgvSituation *situation)
{
	PgvProgress   *progress = situation->progress;

	if (progress->pid == situation->slot->pid && progress->since == situation->since &&
		progress->state == (int) situation->state && progress->rule_serial == situation->rule->serial)
		return;
	memset(progress, 0, sizeof(*progress));
	progress->pid = situation->slot->pid;
	progress->state = situation->state;
	progress->since = situation->since;
	progress->rule_serial = situation->rule->serial;
}

/* Whether a session holds an advisory lock, at this look. */
static bool
is_lock_holder(PgvLook *look, int pid)
{
	if (look->lock_holders == NULL)
		look->lock_holders = pgv_advisory_lock_holders();
	return pgv_is_lock_holder(look->lock_holders, pid);
}

/*
 * Whether the rule leaves this session alone, at this moment.  Sessions that a lock
 * spares, or that do not obey, are asked again at the same looks: asking is costly.
 */
static bool
is_spared(PgvLook *look, const PgvSituation *situation)
{
	const PgvRule *rule = situation->rule;
	PgvProgress   *progress = situation->progress;
	bool		is_asked_first = !progress->is_spared && progress->poke_count == 0;

	if (pgv_rule_spares(rule, situation->slot, situation->identity, false) != NULL)
		return true;
	if (!rule->spares_advisory_locks)
		return false;
	if (is_asked_first || look->now / SPARED_AGAIN_US != progress->spared_asked_at / SPARED_AGAIN_US)
	{
		progress->is_spared = is_lock_holder(look, situation->slot->pid);
		progress->spared_asked_at = look->now;
		if (progress->is_spared)
			progress->not_before = (look->now / SPARED_AGAIN_US + 1) * SPARED_AGAIN_US;
	}
	return progress->is_spared;
}

/* Ends only as many as it takes; the others may stay: see end_candidates(). */
static void
add_candidate(PgvLook *look, const PgvSituation *situation, PgvAction action)
{
	PgvCandidate *candidate = palloc(sizeof(PgvCandidate));

	candidate->situation = *situation;
	candidate->slot = *situation->slot;
	candidate->situation.slot = &candidate->slot;
	candidate->action = action;
	look->candidates = lappend(look->candidates, candidate);
}

/* An action is due. */
static void
act(PgvLook *look, const PgvSituation *situation, PgvAction action)
{
	bool		is_first_time = (situation->progress->done & (1U << action)) == 0;

	if (is_spared(look, situation))
	{
		if (situation->progress->is_spared)
			look->soonest = Min(look->soonest, situation->progress->not_before);
		return;
	}
	if (action == PGV_ACTION_END && situation->rule->min_used_share >= 0 && is_first_time)
	{
		add_candidate(look, situation, action);
		return;
	}
	pgv_rule_act(situation, action, look->now);
	if (situation->progress->not_before > look->now)
		look->soonest = Min(look->soonest, situation->progress->not_before);
}

/* What the backend has to do is said again until it has happened. */
static bool
is_worth_repeating(const PgvProgress *progress, PgvAction action)
{
	if (action == PGV_ACTION_CANCEL)
		return (progress->done & (1U << PGV_ACTION_END)) == 0;
	return action == PGV_ACTION_END;
}

/* Does what is due in a situation, and notes when the next is. */
static void
follow_rule(PgvLook *look, const PgvSituation *situation)
{
	const PgvRule *rule = situation->rule;
	PgvProgress   *progress = situation->progress;

	for (PgvAction action = 0; action < PGV_ACTIONS; action++)
	{
		TimestampTz due = situation->since + rule->after_us[action];
		bool		is_done = (progress->done & (1U << action)) != 0;

		if (rule->after_us[action] == 0)
			continue;
		if (is_done)
		{
			if (pgv_rule_is_dry_run(rule) || !is_worth_repeating(progress, action))
				continue;
			due = progress->not_before;
		}
		if (due <= look->now)
			act(look, situation, action);
		else
			look->soonest = Min(look->soonest, due);
	}
}

/* One session in one situation that one rule is for. */
static void
look_with_rule(PgvLook *look, PgvSituation *situation, const PgvRule *rule, PgvProgressKind kind)
{
	if (rule == NULL || situation->since == 0)
		return;
	situation->rule = rule;
	situation->progress = pgv_progress_of(situation->index, kind);
	begin_progress(situation);
	follow_rule(look, situation);
}

/* One session in one situation. */
static void
look_at_situation(PgvLook *look, PgvSituation *situation, PgvProgressKind kind)
{
	PgvMatchingRules found =
		pgv_rules_find(rules, rule_count, situation->state, situation->slot, situation->identity,
					   pgv_used_share(look->connections));

	look_with_rule(look, situation, found.dry, PGV_PROGRESS_DRY(kind));
	look_with_rule(look, situation, found.real, kind);
}

static void
look_at_session(PgvLook *look, int index, const PgvBackendSlot *slot)
{
	PgvSituation situation = {.index = index, .slot = slot};

	if (need_identity)
		situation.identity = pgv_identity_cached(slot->role_id, slot->database_id);

	situation.state = pgv_rule_state_of(slot->state);
	situation.since = situation.state == PGV_RULE_ACTIVE ?
		pgv_slot_statement_start(slot) : slot->state_since;
	look_at_situation(look, &situation, PGV_PROGRESS_STATE);

	situation.state = PGV_RULE_IDLE_IN_TRANSACTION;
	situation.since = pgv_client_wait_look(pgv_client_wait_of(index), index, slot, look->now);
	look_at_situation(look, &situation, PGV_PROGRESS_WAIT);

	situation.state = PGV_RULE_SESSION_AGE;
	situation.since = slot->connected_at;
	look_at_situation(look, &situation, PGV_PROGRESS_AGE);
}

/*
 * Whether this session has been told to end, and is about to; in a dry run:
 * whether it would have been.
 */
static bool
is_being_ended(int index, const PgvBackendSlot *slot, bool in_dry_run)
{
	for (int i = PGV_PROGRESS_STATE; i < PGV_PROGRESS_DRY_STATE; i++)
	{
		const PgvProgress *progress =
			pgv_progress_of(index, in_dry_run ? PGV_PROGRESS_DRY(i) : (PgvProgressKind) i);

		if (progress->pid != slot->pid || (progress->done & (1U << PGV_ACTION_END)) == 0)
			continue;
		if (i == PGV_PROGRESS_AGE ? slot->state == PGV_STATE_IDLE :
			(progress->since == slot->state_since ||
			 (slot->state == PGV_STATE_ACTIVE &&
			  (progress->state == PGV_RULE_ACTIVE || i == PGV_PROGRESS_WAIT))))
			return true;
	}
	return false;
}

/* Connections that there will be when those that have been told to end have gone. */
static void
count_connections(PgvLook *look)
{
	PgvBackendSlot slot;

	for (int i = 0; i < MaxBackends; i++)
	{
		if (!pgv_slot_copy(i, &slot) || slot.phase != PGV_SLOT_LIVE)
			continue;
		look->connections += !is_being_ended(i, &slot, false);
		look->dry_connections += !is_being_ended(i, &slot, true);
	}
}

static int
compare_since(const ListCell *a, const ListCell *b)
{
	TimestampTz first = ((PgvCandidate *) lfirst(a))->situation.since;
	TimestampTz second = ((PgvCandidate *) lfirst(b))->situation.since;

	return first < second ? -1 : first > second;
}

/*
 * Ends sessions of rules that hold only above a share of the connections, those
 * first that wait longest, until the share is no longer reached.
 */
static void
end_candidates(PgvLook *look)
{
	ListCell   *cell;

	list_sort(look->candidates, compare_since);
	foreach(cell, look->candidates)
	{
		PgvCandidate *candidate = lfirst(cell);
		const PgvRule *rule = candidate->situation.rule;
		int		   *connections = pgv_rule_is_dry_run(rule) ?
			&look->dry_connections : &look->connections;

		if (pgv_used_share(*connections) <= rule->min_used_share)
			continue;
		pgv_rule_act(&candidate->situation, candidate->action, look->now);
		--*connections;
		look->soonest = Min(look->soonest,
							Max(candidate->situation.progress->not_before, look->now + 1));
	}
}

static void
look_at_sessions(PgvLook *look)
{
	PgvBackendSlot slot;

	if (need_share)
		count_connections(look);
	for (int i = 0; i < MaxBackends; i++)
	{
		if (pgv_slot_copy(i, &slot) && slot.phase == PGV_SLOT_LIVE)
			look_at_session(look, i, &slot);
	}
	end_candidates(look);
}

/*
 * Whether nothing can be due yet.  The collector is woken for many reasons, such as
 * the end of each session.
 */
static bool
is_too_early(TimestampTz now)
{
	return now < next_look_at && next_look_at - now <= LOOK_AGAIN_MOST_MS * 1000 &&
		rules_generation == pgv_policy_generation() && reloaded_at == PgReloadTime;
}

/* Looks at all sessions. */
static long
policy_upkeep(TimestampTz now)
{
	PgvLook		look = {.now = now,.soonest = DT_NOEND};
	long		sleep_ms;

	if (is_too_early(now))
		return (next_look_at - now + 999) / 1000;
	take_rules();
	reloaded_at = PgReloadTime;
	if (rule_count == 0)
		return PGV_NO_UPKEEP;

	pgv_catalogs_begin();
	(void) pgv_identity_refresh();
	look_at_sessions(&look);
	pgv_catalogs_end();

	sleep_ms = longest_sleep_ms();
	if (look.soonest != DT_NOEND)
		sleep_ms = Min(sleep_ms, Max((look.soonest - GetCurrentTimestamp() + 999) / 1000, 0));
	next_look_at = GetCurrentTimestamp() + sleep_ms * INT64CONST(1000);
	return sleep_ms;
}

void
pgv_idle_policy_ended_counts(int64 *idle_session, int64 *idle_in_transaction)
{
	PgvRuleCounts counts;

	pgv_policy_counts_of_setting(PGV_SERIAL_IDLE_SESSION, &counts);
	*idle_session = counts.done[PGV_ACTION_END];
	pgv_policy_counts_of_setting(PGV_SERIAL_IDLE_IN_TRANSACTION, &counts);
	*idle_in_transaction = counts.done[PGV_ACTION_END];
}

const PgvPart pgv_idle_policy_part = {
	.name = "idle policy",
	.size = pgv_verdicts_size,
	.make = pgv_verdicts_make,
	.upkeep = policy_upkeep,
};
