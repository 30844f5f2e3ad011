/*-------------------------------------------------------------------------
 *
 * ended_sessions.c
 *	  Ring of the sessions that have ended.
 *
 * extension/src/stats/ended_sessions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/keep.h"
#include "base/plain_text.h"
#include "base/ring.h"
#include "stats/ended_sessions.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/* How many ended since the memory was made, and the last of them. */
typedef struct PgvEndedSessions
{
	int64		counts[PGV_END_CAUSES];
	PgvRing		ring;
} PgvEndedSessions;

/* pgvalet.max_ended_sessions: places in the ring. */
static int	max_ended_sessions = 2000;

static PgvEndedSessions *sessions = NULL;

void
pgv_ended_sessions_define_settings(void)
{
	DefineCustomIntVariable("pgvalet.max_ended_sessions",
							"Number of ended sessions kept in pgvalet.sessions.",
							"A session that ends takes the place of the oldest.",
							&max_ended_sessions,
							2000, 16, 1000000,
							PGC_POSTMASTER, 0,
							NULL, NULL, NULL);
}

static Size
ring_size(void)
{
	return pgv_ring_size(max_ended_sessions, sizeof(PgvEndedSession));
}

static Size
sessions_size(void)
{
	return add_size(offsetof(PgvEndedSessions, ring), ring_size());
}

static void
sessions_make(void)
{
	bool		found;

	sessions = ShmemInitStruct("pgvalet ended sessions", sessions_size(), &found);
	if (found)
		return;
	memset(sessions->counts, 0, sizeof(sessions->counts));
	pgv_ring_init(&sessions->ring, max_ended_sessions, sizeof(PgvEndedSession));
}

static void
sessions_count(int64 *used, int64 *limit)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_SESSIONS), LW_SHARED);
	*used = pgv_ring_count(&sessions->ring);
	LWLockRelease(pgv_lock(PGV_LOCK_SESSIONS));
	*limit = max_ended_sessions;
}

static void
sessions_reset(void)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_SESSIONS), LW_EXCLUSIVE);
	pgv_ring_forget(&sessions->ring);
	LWLockRelease(pgv_lock(PGV_LOCK_SESSIONS));
}

static void *
sessions_keep(Size *size)
{
	*size = ring_size();
	return &sessions->ring;
}

/* Whether a session taken over makes sense; see pgv_ring_take_over(). */
static bool
mend_session(void *entry)
{
	PgvEndedSession *session = entry;

	pgv_plain_text_mend(session->end_rule, sizeof(session->end_rule));
	pgv_plain_text_mend(session->application_name, sizeof(session->application_name));
	pgv_plain_text_mend_address(session->client_addr, sizeof(session->client_addr));
	pgv_plain_text_mend(session->agent_name, sizeof(session->agent_name));
	return session->how_ended >= 0 && session->how_ended < PGV_END_CAUSES &&
		OidIsValid(session->role_id) &&
		pgv_keep_is_time(session->connected_at) && pgv_keep_is_time(session->ended_at);
}

static bool
sessions_take_over(void *copy, Size size, const PgvKept *kept)
{
	return pgv_ring_take_over(&sessions->ring, copy, size, mend_session);
}

const PgvPart pgv_ended_sessions_part = {
	.name = "sessions",
	.size = sessions_size,
	.make = sessions_make,
	.count = sessions_count,
	.reset = sessions_reset,
	.keep = sessions_keep,
	.take_over = sessions_take_over,
};

/* Makes an entry of the ring out of an ended slot. */
static void
describe(PgvEndedSession *session, const PgvBackendSlot *slot)
{
	memset(session, 0, sizeof(PgvEndedSession));
	session->pid = slot->pid;
	session->client_port = slot->client_port;
	session->database_id = slot->database_id;
	session->role_id = slot->role_id;
	session->connected_at = slot->connected_at;
	session->ended_at = slot->ended_at;
	session->login_us = slot->login_us;
	session->how_ended = slot->how_ended;
	session->end_sqlerrcode = slot->end_sqlerrcode;
	session->cpu_user_us = slot->cpu_user_us;
	session->cpu_system_us = slot->cpu_system_us;
	session->usage = slot->usage;
	strlcpy(session->end_rule, slot->end_rule, sizeof(session->end_rule));
	strlcpy(session->application_name, slot->application_name,
			sizeof(session->application_name));
	strlcpy(session->client_addr, slot->client_addr, sizeof(session->client_addr));
	strlcpy(session->agent_name, slot->agent_name, sizeof(session->agent_name));
}

void
pgv_ended_sessions_add(const PgvBackendSlot *slot)
{
	PgvEndedSession session;

	describe(&session, slot);
	LWLockAcquire(pgv_lock(PGV_LOCK_SESSIONS), LW_EXCLUSIVE);
	sessions->counts[session.how_ended]++;
	pgv_ring_add(&sessions->ring, &session);
	LWLockRelease(pgv_lock(PGV_LOCK_SESSIONS));
}

/*
 * Same for a slot of an earlier life, in the postmaster: nobody else is there.
 * Of a session that was live nothing is known but what it had published.
 */
static void
take_over_slot(PgvBackendSlot *slot, const PgvKept *kept)
{
	PgvEndedSession session;

	if (slot->phase == PGV_SLOT_LIVE)
	{
		if (pgv_keep_is_time(slot->state_since))
			pgv_slot_add_running_time(slot, &slot->usage, kept->at);
		slot->ended_at = kept->at;
		slot->how_ended = kept->after_crash ? PGV_END_CRASH : PGV_END_KILLED;
		slot->end_sqlerrcode = 0;
		slot->end_rule[0] = '\0';
	}
	/* The strings may have no end: copied to the last byte, mended after that. */
	slot->application_name[sizeof(slot->application_name) - 1] = '\0';
	slot->client_addr[sizeof(slot->client_addr) - 1] = '\0';
	slot->agent_name[sizeof(slot->agent_name) - 1] = '\0';
	slot->end_rule[sizeof(slot->end_rule) - 1] = '\0';
	describe(&session, slot);
	if (!mend_session(&session))
		return;
	sessions->counts[session.how_ended]++;
	pgv_ring_add(&sessions->ring, &session);
}

bool
pgv_ended_sessions_take_over_slots(void *copy, Size size, const PgvKept *kept)
{
	PgvSlots   *slots = copy;

	if (size < offsetof(PgvSlots, slots))
		return false;
	for (Size i = 0; i < (size - offsetof(PgvSlots, slots)) / sizeof(PgvBackendSlotPadded); i++)
	{
		PgvBackendSlot *slot = &slots->slots[i].slot;

		if (slot->phase == PGV_SLOT_LIVE || slot->phase == PGV_SLOT_ENDED)
			take_over_slot(slot, kept);
	}
	return true;
}

PgvEndedSession *
pgv_ended_sessions_read(int *count)
{
	int64		lost;

	return pgv_ring_read(&sessions->ring, pgv_lock(PGV_LOCK_SESSIONS), 0, count, &lost);
}

void
pgv_ended_sessions_counts(int64 counts[PGV_END_CAUSES])
{
	LWLockAcquire(pgv_lock(PGV_LOCK_SESSIONS), LW_SHARED);
	memcpy(counts, sessions->counts, sizeof(sessions->counts));
	LWLockRelease(pgv_lock(PGV_LOCK_SESSIONS));
}
