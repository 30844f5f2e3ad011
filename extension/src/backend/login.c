/*-------------------------------------------------------------------------
 *
 * login.c
 *	  From a client's login to its slot, and from its exit to an ended slot.
 *
 * extension/src/backend/login.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "backend/activity.h"
#include "backend/enforce.h"
#include "stats/aggregate.h"
#include "stats/backend_slot.h"
#include "stats/distribution.h"
#include "base/wake.h"
#include "common/ip.h"
#include "policy/budget.h"
#include "policy/policy_settings.h"
#include "backend/login.h"
#include "base/settings.h"
#include "stats/logins.h"
#include "stats/session_end.h"
#include "storage/ipc.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

/*
 * Names this session has used, so that it counts once under each.  NULL until
 * the first change: most sessions have one name.
 */
static HTAB *used_names = NULL;

void
pgv_login_describe_client(char *client_addr, int32 *client_port)
{
	const SockAddr *peer = &MyProcPort->raddr;
	char		port[NI_MAXSERV];
	char	   *scope;

	client_addr[0] = '\0';
	*client_port = -1;
	if (peer->addr.ss_family == AF_UNIX)
		return;
	if (pg_getnameinfo_all(&peer->addr, peer->salen, client_addr, PGV_CLIENT_ADDR_BYTES,
						   port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
	{
		client_addr[0] = '\0';
		return;
	}
	*client_port = atoi(port);

	/* Type inet has no room for the scope of an IPv6 address. */
	scope = strchr(client_addr, '%');
	if (scope != NULL)
		*scope = '\0';
}

/* Fills in everything but the aggregates. */
static void
describe_session(PgvBackendSlot *slot)
{
	memset(slot, 0, sizeof(PgvBackendSlot));
	slot->phase = PGV_SLOT_LIVE;
	slot->pid = MyProcPid;
	slot->status = MyBEEntry;
	slot->database_id = MyDatabaseId;
	slot->role_id = GetAuthenticatedUserId();
	slot->connected_at = MyStartTimestamp;
	slot->state = PGV_STATE_ACTIVE;
	slot->state_since = pgv_activity_ready_time();
	slot->login_us = Max(slot->state_since - slot->connected_at, 0);
	strlcpy(slot->agent_name, pgv_agent, sizeof(slot->agent_name));
	strlcpy(slot->application_name, application_name, sizeof(slot->application_name));
	pgv_login_describe_client(slot->client_addr, &slot->client_port);
}

/* Counts one more live session, and remembers the highest number there was. */
static void
count_session(void)
{
	int32		live = pg_atomic_add_fetch_u32(&pgv_slots->live_count, 1);

	pg_atomic_fetch_add_u64(&pgv_slots->session_count, 1);
	if (live > pgv_slots->highest_count)
	{
		pgv_slots->highest_count = live;
		pgv_slots->highest_at = GetCurrentTimestamp();
	}
	pgv_slots->recent_highest_count = Max(pgv_slots->recent_highest_count, live);
	if ((uint32) live >= pg_atomic_read_u32(&pgv_slots->wake_count))
		pgv_wake_collector();
}

/* Counts one more session in an entry. */
static void
count_login(PgvAggregate *entry)
{
	entry->session_count++;
	entry->login_count++;
}

/*
 * Takes the places of the session in its connection budgets, and the lock of the
 * slots: it is held afterwards.  False if a budget has no room.
 */
static bool
claim_places(PgvBackendSlot *slot, const PgvBackendSlot *fresh, PgvBudgetRefusal *refusal)
{
	PgvBudgetClaim claim;
	PgvBudgetAnswer answer;

	for (;;)
	{
		pgv_budget_prepare(&claim);
		LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_EXCLUSIVE);

		/* The collector may not have come to the session before us. */
		pgv_aggregate_fold(slot);

		answer = pgv_budget_claim(&claim, fresh, refusal);
		if (answer != PGV_BUDGET_ASK_AGAIN)
			return answer == PGV_BUDGET_GRANTED;
		LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
	}
}

/*
 * Makes the slot with our index ours and live.  False if a connection budget has
 * no room for the session: the slot stays free.
 */
static bool
claim_slot(PgvBackendSlot *slot, PgvBudgetRefusal *refusal)
{
	Size		after_count = offsetof(PgvBackendSlot, phase);
	PgvBackendSlot fresh;

	describe_session(&fresh);
	if (!claim_places(slot, &fresh, refusal))
	{
		LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
		return false;
	}

	fresh.role = pgv_aggregate_of_object(PGV_BY_ROLE, fresh.role_id);
	fresh.database = pgv_aggregate_of_object(PGV_BY_DATABASE, fresh.database_id);
	fresh.application = pgv_aggregate_enter_application(fresh.application_name);

	pgv_slot_begin_write(slot);
	memcpy((char *) slot + after_count, (char *) &fresh + after_count,
		   sizeof(PgvBackendSlot) - after_count);
	pgv_slot_end_write(slot);

	count_login(fresh.role);
	count_login(fresh.database);
	count_login(fresh.application);
	pgv_distribution_count_ended(&fresh, PGV_LOGIN_TIME, fresh.login_us);
	count_session();

	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
	return true;
}

/*
 * on_shmem_exit callback.  Comes after the open transaction was rolled back and
 * the reason was told to the client, and before the backend leaves the array of
 * backends.
 */
static void
leave_slot(int code, Datum arg)
{
	if (pgv_my_slot == NULL)
		return;
	pgv_enforce_end();
	pgv_end_describe(pgv_my_slot);
	pgv_activity_end();
	pgv_my_slot = NULL;
	pg_atomic_fetch_sub_u32(&pgv_slots->live_count, 1);
	pgv_wake_collector();
}

void
pgv_login_finish(void)
{
	PgvBackendSlot *slot = &pgv_slots->slots[pgv_my_backend_index()].slot;
	PgvBudgetRefusal refusal;

	/* What may fail comes before the slot is live. */
	pgv_enforce_start();
	on_shmem_exit(leave_slot, (Datum) 0);
	if (!claim_slot(slot, &refusal))
		pgv_budget_refuse(&refusal);
	pgv_budget_record_dry_run(&refusal);
	pgv_my_slot = slot;
	pgv_logins_count(slot->login_us);
	pgv_activity_start();
}

/* Whether this session uses a name for the first time; remembers it. */
static bool
is_new_name(const char *name)
{
	bool		found;

	if (used_names == NULL)
	{
		HASHCTL		info = {0};

		info.keysize = NAMEDATALEN;
		info.entrysize = NAMEDATALEN;
		used_names = hash_create("pgvalet used application names", 16, &info,
								 HASH_ELEM | HASH_STRINGS);
		hash_search(used_names, pgv_my_slot->application_name, HASH_ENTER, NULL);
	}
	/* A session that invents names without end is not worth exact counting. */
	if (hash_get_num_entries(used_names) >= pgv_max_applications)
		return hash_search(used_names, name, HASH_FIND, NULL) == NULL;
	hash_search(used_names, name, HASH_ENTER, &found);
	return !found;
}

void
pgv_login_rename_application(void)
{
	PgvBackendSlot *slot = pgv_my_slot;
	PgvAggregate *entry;
	char		name[NAMEDATALEN];
	bool		is_new;

	strlcpy(name, application_name, sizeof(name));
	if (strcmp(name, slot->application_name) == 0)
		return;
	is_new = is_new_name(name);

	LWLockAcquire(pgv_lock(PGV_LOCK_SLOTS), LW_EXCLUSIVE);

	pgv_distribution_flush(slot);
	pgv_usage_add(&slot->application->ended, &slot->usage);
	pgv_usage_subtract(&slot->application->ended, &slot->application_base);
	pgv_aggregate_leave_application(slot->application);
	entry = pgv_aggregate_enter_application(name);
	/* Its entry may have given its place to another, and be a new one. */
	if (is_new || entry->session_count == 0)
		entry->session_count++;

	pgv_slot_begin_write(slot);
	memcpy(slot->application_name, name, sizeof(slot->application_name));
	slot->application = entry;
	slot->application_base = slot->usage;
	pgv_slot_end_write(slot);

	LWLockRelease(pgv_lock(PGV_LOCK_SLOTS));
}
