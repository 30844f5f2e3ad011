/*-------------------------------------------------------------------------
 *
 * policy_table.c
 *	  The rules and budgets in force, and what they did.
 *
 * extension/src/policy/policy_table.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/wake.h"
#include "policy/policy_table.h"
#include "policy/rule_match.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

/* Counts that grow in any process. */
typedef struct PgvAtomicCounts
{
	pg_atomic_uint64 done[PGV_ACTIONS];
	pg_atomic_uint64 would[PGV_ACTIONS];
} PgvAtomicCounts;

typedef struct PgvPolicyTable
{
	pg_atomic_uint32 requested; /* readings asked for */
	pg_atomic_uint32 served;	/* the last one that was done */
	pg_atomic_uint32 generation;
	pg_atomic_uint32 budget_count;	/* same as status.budget_count */
	pg_atomic_uint32 needs_members; /* bool: a budget asks for memberships */

	/* Under PGV_LOCK_POLICY. */
	PgvPolicyStatus status;
	int64		last_serial;
	PgvRule		rules[PGV_MAX_RULES];
	PgvAtomicCounts counts[PGV_MAX_RULES];	/* of the rule at the same place */
	PgvAtomicCounts setting_counts[PGV_SETTINGS_RULES]; /* by serial - 1 */
	PgvBudgetEntry budgets[PGV_MAX_BUDGETS];
} PgvPolicyTable;

static PgvPolicyTable *table = NULL;

static Size
table_size(void)
{
	return sizeof(PgvPolicyTable);
}

static void
init_counts(PgvAtomicCounts *counts, int how_many)
{
	for (int i = 0; i < how_many; i++)
	{
		for (int action = 0; action < PGV_ACTIONS; action++)
		{
			pg_atomic_init_u64(&counts[i].done[action], 0);
			pg_atomic_init_u64(&counts[i].would[action], 0);
		}
	}
}

static void
table_make(void)
{
	bool		found;

	table = ShmemInitStruct("pgvalet policy", table_size(), &found);
	if (found)
		return;
	memset(table, 0, table_size());
	/* The first reading is asked for by the start. */
	pg_atomic_init_u32(&table->requested, 1);
	pg_atomic_init_u32(&table->served, 0);
	pg_atomic_init_u32(&table->generation, 0);
	pg_atomic_init_u32(&table->budget_count, 0);
	pg_atomic_init_u32(&table->needs_members, 0);
	table->last_serial = PGV_SERIAL_IDLE_IN_TRANSACTION;
	init_counts(table->counts, PGV_MAX_RULES);
	init_counts(table->setting_counts, PGV_SETTINGS_RULES);
}

/* Rules and budgets in force, out of those there is room for. */
static void
table_count(int64 *used, int64 *limit)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_SHARED);
	*used = table->status.rule_count + table->status.budget_count;
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
	*limit = PGV_MAX_RULES + PGV_MAX_BUDGETS;
}

/* Forgets what was counted, of budgets too; who uses them now goes on to. */
static void
table_reset(void)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_EXCLUSIVE);
	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_EXCLUSIVE);
	init_counts(table->counts, PGV_MAX_RULES);
	init_counts(table->setting_counts, PGV_SETTINGS_RULES);
	for (int i = 0; i < table->status.budget_count; i++)
	{
		PgvBudgetEntry *entry = &table->budgets[i];

		entry->highest = 0;
		entry->highest_at = 0;
		entry->refused_count = entry->would_refuse_count = entry->untold_count = 0;
	}
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
}

const PgvPart pgv_policy_table_part = {
	.name = "policy",
	.size = table_size,
	.make = table_make,
	.count = table_count,
	.reset = table_reset,
};

void
pgv_policy_request_reading(void)
{
	pg_atomic_fetch_add_u32(&table->requested, 1);
	pgv_wake_collector();
}

bool
pgv_policy_is_reading_wanted(uint32 *request)
{
	*request = pg_atomic_read_u32(&table->requested);
	return *request != pg_atomic_read_u32(&table->served);
}

void
pgv_policy_note_served(uint32 request)
{
	pg_atomic_write_u32(&table->served, request);
}

/* The rule in force of this name, or -1. */
static int
place_of_rule(const char *name)
{
	for (int i = 0; i < table->status.rule_count; i++)
	{
		if (strcmp(table->rules[i].name, name) == 0)
			return i;
	}
	return -1;
}

static int
place_of_budget(const char *name)
{
	for (int i = 0; i < table->status.budget_count; i++)
	{
		if (strcmp(table->budgets[i].budget.name, name) == 0)
			return i;
	}
	return -1;
}

static PgvRuleCounts
read_counts(PgvAtomicCounts *counts)
{
	PgvRuleCounts copy;

	for (int action = 0; action < PGV_ACTIONS; action++)
	{
		copy.done[action] = pg_atomic_read_u64(&counts->done[action]);
		copy.would[action] = pg_atomic_read_u64(&counts->would[action]);
	}
	return copy;
}

static void
write_counts(PgvAtomicCounts *counts, const PgvRuleCounts *copy)
{
	for (int action = 0; action < PGV_ACTIONS; action++)
	{
		pg_atomic_write_u64(&counts->done[action], copy->done[action]);
		pg_atomic_write_u64(&counts->would[action], copy->would[action]);
	}
}

/* Puts rules in force; returns whether they differ from those there were. */
static bool
put_rules(PgvRule *rules, int count)
{
	PgvRuleCounts *counts = palloc0(Max(count, 1) * sizeof(PgvRuleCounts));
	bool		changed = (count != table->status.rule_count);

	for (int i = 0; i < count; i++)
	{
		int			place = place_of_rule(rules[i].name);

		if (place >= 0)
			counts[i] = read_counts(&table->counts[place]);
		rules[i].serial = place >= 0 ? table->rules[place].serial : ++table->last_serial;
		changed |= memcmp(&rules[i], &table->rules[i], sizeof(PgvRule)) != 0;
	}
	memset(table->rules, 0, sizeof(table->rules));
	for (int i = 0; i < count; i++)
	{
		table->rules[i] = rules[i];
		write_counts(&table->counts[i], &counts[i]);
	}
	table->status.rule_count = count;
	pfree(counts);
	return changed;
}

/* Same for budgets. */
static bool
put_budgets(PgvBudget *budgets, int count)
{
	PgvBudgetEntry *entries = palloc0(Max(count, 1) * sizeof(PgvBudgetEntry));
	bool		changed = (count != table->status.budget_count);
	bool		needs_members = false;

	for (int i = 0; i < count; i++)
	{
		int			place = place_of_budget(budgets[i].name);

		if (place >= 0)
			memcpy(&entries[i], &table->budgets[place], sizeof(PgvBudgetEntry));
		budgets[i].serial = place >= 0 ? entries[i].budget.serial : ++table->last_serial;
		memcpy(&entries[i].budget, &budgets[i], sizeof(PgvBudget));
		changed |= memcmp(&budgets[i], &table->budgets[i].budget, sizeof(PgvBudget)) != 0;
		needs_members |= budgets[i].match.includes_members || budgets[i].reserved_for.count > 0;
	}
	memset(table->budgets, 0, sizeof(table->budgets));
	memcpy(table->budgets, entries, count * sizeof(PgvBudgetEntry));
	table->status.budget_count = count;
	pg_atomic_write_u32(&table->budget_count, count);
	pg_atomic_write_u32(&table->needs_members, needs_members);
	pfree(entries);
	return changed;
}

/*
 * Keeps a text that readers in databases of any encoding are to be able to read:
 * the words of the server may be in another language.
 */
static void
put_ascii(char *to, const char *text, Size bytes)
{
	strlcpy(to, text, bytes);
	for (char *c = to; *c != '\0'; c++)
	{
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

/* Puts all in force.  REQUIRES: PGV_LOCK_POLICY exclusively. */
static bool
put_all(const char *database, PgvRule *rules, int rule_count,
		PgvBudget *budgets, int budget_count, const char *left_out)
{
	bool		changed = put_rules(rules, rule_count);

	changed |= put_budgets(budgets, budget_count);
	strlcpy(table->status.database, database, sizeof(table->status.database));
	put_ascii(table->status.left_out, left_out, sizeof(table->status.left_out));
	if (changed)
		table->status.generation = pg_atomic_add_fetch_u32(&table->generation, 1);
	return changed;
}

/* Sets the error; returns whether it is news.  REQUIRES: PGV_LOCK_POLICY exclusively. */
static bool
put_error(const char *error)
{
	char		old[PGV_STATUS_BYTES];

	memcpy(old, table->status.error, sizeof(old));
	put_ascii(table->status.error, error, sizeof(table->status.error));
	return strcmp(old, table->status.error) != 0;
}

bool
pgv_policy_publish(const char *database, PgvRule *rules, int rule_count,
				   PgvBudget *budgets, int budget_count, const char *left_out)
{
	bool		changed;

	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_EXCLUSIVE);
	changed = put_all(database, rules, rule_count, budgets, budget_count, left_out);
	put_error("");
	table->status.read_at = GetCurrentTimestamp();
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
	return changed;
}

bool
pgv_policy_note_error(const char *error)
{
	bool		is_news;

	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_EXCLUSIVE);
	is_news = put_error(error);
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
	return is_news;
}

bool
pgv_policy_withdraw(const char *database, const char *error, PgvPolicyStatus *before)
{
	bool		is_news;

	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_EXCLUSIVE);
	*before = table->status;
	put_all(database, NULL, 0, NULL, 0, "");
	is_news = put_error(error);
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
	return is_news;
}

void
pgv_policy_read_status(PgvPolicyStatus *status)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_SHARED);
	*status = table->status;
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
}

uint32
pgv_policy_generation(void)
{
	return pg_atomic_read_u32(&table->generation);
}

int
pgv_policy_copy_rules(PgvRule *rules, PgvRuleCounts *counts)
{
	int			count;

	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_SHARED);
	count = table->status.rule_count;
	memcpy(rules, table->rules, count * sizeof(PgvRule));
	for (int i = 0; i < count && counts != NULL; i++)
		counts[i] = read_counts(&table->counts[i]);
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
	return count;
}

void
pgv_policy_count(int64 serial, PgvAction action, bool is_dry_run)
{
	PgvAtomicCounts *counts = NULL;

	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_SHARED);
	if (serial <= PGV_SETTINGS_RULES)
		counts = &table->setting_counts[serial - 1];
	for (int i = 0; i < table->status.rule_count && counts == NULL; i++)
	{
		if (table->rules[i].serial == serial)
			counts = &table->counts[i];
	}
	/* A rule that is gone meanwhile counts no more. */
	if (counts != NULL)
		pg_atomic_fetch_add_u64(is_dry_run ? &counts->would[action] : &counts->done[action], 1);
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
}

void
pgv_policy_counts_of_setting(int64 serial, PgvRuleCounts *counts)
{
	*counts = read_counts(&table->setting_counts[serial - 1]);
}

int
pgv_policy_copy_budgets(PgvBudget *budgets)
{
	int			count;

	LWLockAcquire(pgv_lock(PGV_LOCK_POLICY), LW_SHARED);
	count = table->status.budget_count;
	for (int i = 0; i < count; i++)
		memcpy(&budgets[i], &table->budgets[i].budget, sizeof(PgvBudget));
	LWLockRelease(pgv_lock(PGV_LOCK_POLICY));
	return count;
}

PgvBudgetEntry *
pgv_policy_budgets(int *count)
{
	*count = table->status.budget_count;
	return table->budgets;
}

bool
pgv_policy_has_budgets(void)
{
	return pg_atomic_read_u32(&table->budget_count) > 0;
}

bool
pgv_policy_budgets_need_members(void)
{
	return pg_atomic_read_u32(&table->needs_members) != 0;
}
