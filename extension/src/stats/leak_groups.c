/*-------------------------------------------------------------------------
 *
 * leak_groups.c
 *	  How many direct sessions each application has had from each host.
 *
 * extension/src/stats/leak_groups.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "stats/leak_groups.h"
#include "storage/shmem.h"

static PgvLeakGroups *leak_groups = NULL;

static Size
groups_size(void)
{
	return sizeof(PgvLeakGroups);
}

static void
groups_make(void)
{
	bool		found;

	leak_groups = ShmemInitStruct("pgvalet leak groups", groups_size(), &found);
	if (!found)
		memset(leak_groups, 0, groups_size());
}

static void
groups_count(int64 *used, int64 *limit)
{
	*used = leak_groups->group_count;
	*limit = PGV_LEAK_GROUPS;
}

static void
groups_reset(void)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_LEAKS), LW_EXCLUSIVE);
	memset(leak_groups, 0, groups_size());
	LWLockRelease(pgv_lock(PGV_LOCK_LEAKS));
}

const PgvPart pgv_leak_groups_part = {
	.name = "leaks",
	.size = groups_size,
	.make = groups_make,
	.count = groups_count,
	.reset = groups_reset,
};

int
pgv_leak_group_compare(const PgvBackendSlot *a, const PgvBackendSlot *b)
{
	int			order = (a->agent_name[0] != '\0') - (b->agent_name[0] != '\0');

	if (order == 0)
		order = strcmp(a->application_name, b->application_name);
	return order != 0 ? order : strcmp(a->client_addr, b->client_addr);
}

/* The group of a slot, or NULL. */
static const PgvLeakGroup *
find_group(const PgvLeakGroups *groups, const PgvBackendSlot *slot)
{
	for (int i = 0; i < groups->group_count; i++)
	{
		const PgvLeakGroup *group = &groups->groups[i];

		if (strcmp(group->application_name, slot->application_name) == 0 &&
			strcmp(group->client_addr, slot->client_addr) == 0)
			return group;
	}
	return NULL;
}

/* The group of a slot, made if it is new; NULL if there is no room. */
static PgvLeakGroup *
find_or_make_group(const PgvBackendSlot *slot)
{
	PgvLeakGroup *group = unconstify(PgvLeakGroup *, find_group(leak_groups, slot));

	if (group != NULL || leak_groups->group_count == PGV_LEAK_GROUPS)
		return group;
	group = &leak_groups->groups[leak_groups->group_count++];
	memset(group, 0, sizeof(PgvLeakGroup));
	strlcpy(group->application_name, slot->application_name, sizeof(group->application_name));
	strlcpy(group->client_addr, slot->client_addr, sizeof(group->client_addr));
	return group;
}

/* Begins a sample: no group has a session, and those that had none are gone. */
static int
begin_sample(TimestampTz now)
{
	int			place = leak_groups->sample_count % PGV_LEAK_SAMPLES;

	leak_groups->sampled_at[place] = now;
	for (int i = 0; i < leak_groups->group_count;)
	{
		PgvLeakGroup *group = &leak_groups->groups[i];
		int32		most = 0;

		group->session_counts[place] = 0;
		for (int sample = 0; sample < PGV_LEAK_SAMPLES; sample++)
			most = Max(most, group->session_counts[sample]);
		if (most == 0)
			*group = leak_groups->groups[--leak_groups->group_count];
		else
			i++;
	}
	return place;
}

void
pgv_leak_groups_sample(PgvBackendSlot *const *slots, int count, TimestampTz now)
{
	int			place;

	LWLockAcquire(pgv_lock(PGV_LOCK_LEAKS), LW_EXCLUSIVE);
	place = begin_sample(now);
	for (int i = 0; i < count; i++)
	{
		PgvLeakGroup *group = find_or_make_group(slots[i]);

		if (group != NULL)
			group->session_counts[place]++;
	}
	leak_groups->sample_count++;
	LWLockRelease(pgv_lock(PGV_LOCK_LEAKS));
}

PgvLeakGroups *
pgv_leak_groups_copy(void)
{
	PgvLeakGroups *copy = palloc(sizeof(PgvLeakGroups));

	LWLockAcquire(pgv_lock(PGV_LOCK_LEAKS), LW_SHARED);
	memcpy(copy, leak_groups, sizeof(PgvLeakGroups));
	LWLockRelease(pgv_lock(PGV_LOCK_LEAKS));
	return copy;
}

int
pgv_leak_group_size_at(const PgvLeakGroups *groups, const PgvBackendSlot *slot, TimestampTz then)
{
	const PgvLeakGroup *group = find_group(groups, slot);
	int64		oldest = Max(groups->sample_count - PGV_LEAK_SAMPLES, 0);

	if (group == NULL)
		return -1;
	for (int64 sample = oldest; sample < groups->sample_count; sample++)
	{
		if (groups->sampled_at[sample % PGV_LEAK_SAMPLES] >= then)
			return group->session_counts[sample % PGV_LEAK_SAMPLES];
	}
	return -1;
}
