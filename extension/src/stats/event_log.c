/*-------------------------------------------------------------------------
 *
 * event_log.c
 *	  Ring of what happened.
 *
 * extension/src/stats/event_log.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/keep.h"
#include "base/plain_text.h"
#include "base/ring.h"
#include "base/settings.h"
#include "stats/event_log.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

static PgvRing *event_log = NULL;

const char *const pgv_event_kind_names[PGV_EVENT_KINDS] = {
	[PGV_EVENT_SERVER_STARTED] = "server_started",
	[PGV_EVENT_LOGIN_REFUSED] = "login_refused",
	[PGV_EVENT_BUDGET_REFUSED] = "budget_refused",
	[PGV_EVENT_POLICY_LOGGED] = "policy_logged",
	[PGV_EVENT_POLICY_WARNED] = "policy_warned",
	[PGV_EVENT_POLICY_CANCELLED] = "policy_cancelled",
	[PGV_EVENT_POLICY_ENDED] = "policy_ended",
	[PGV_EVENT_POLICY_CHANGED] = "policy_changed",
	[PGV_EVENT_LIMIT_NEAR] = "limit_near",
	[PGV_EVENT_LIMIT_RELIEVED] = "limit_relieved",
	[PGV_EVENT_LEAK_FOUND] = "leak_found",
	[PGV_EVENT_PIN_LONG] = "pin_long",
	[PGV_EVENT_SETTINGS_CHANGED] = "settings_changed",
	[PGV_EVENT_RESET] = "reset",
};

static Size
log_size(void)
{
	return pgv_ring_size(pgv_max_events, sizeof(PgvEvent));
}

static void
log_make(void)
{
	bool		found;

	event_log = ShmemInitStruct("pgvalet events", log_size(), &found);
	if (!found)
		pgv_ring_init(event_log, pgv_max_events, sizeof(PgvEvent));
}

static void
log_count(int64 *used, int64 *limit)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_EVENTS), LW_SHARED);
	*used = pgv_ring_count(event_log);
	LWLockRelease(pgv_lock(PGV_LOCK_EVENTS));
	*limit = pgv_max_events;
}

static void
log_reset(void)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_EVENTS), LW_EXCLUSIVE);
	pgv_ring_forget(event_log);
	LWLockRelease(pgv_lock(PGV_LOCK_EVENTS));
}

static void *
log_keep(Size *size)
{
	*size = log_size();
	return event_log;
}

/* Whether an event taken over makes sense; see pgv_ring_take_over(). */
static bool
mend_event(void *entry)
{
	PgvEvent   *event = entry;

	pgv_plain_text_mend(event->rule_name, sizeof(event->rule_name));
	pgv_plain_text_mend(event->application_name, sizeof(event->application_name));
	pgv_plain_text_mend_address(event->client_addr, sizeof(event->client_addr));
	pgv_plain_text_mend(event->message, sizeof(event->message));
	return event->kind >= 0 && event->kind < PGV_EVENT_KINDS && pgv_keep_is_time(event->at);
}

static bool
log_take_over(void *copy, Size size, const PgvKept *kept)
{
	return pgv_ring_take_over(event_log, copy, size, mend_event);
}

const PgvPart pgv_event_log_part = {
	.name = "events",
	.size = log_size,
	.make = log_make,
	.count = log_count,
	.reset = log_reset,
	.keep = log_keep,
	.take_over = log_take_over,
};

void
pgv_event_describe(PgvEvent *event, const PgvBackendSlot *slot)
{
	event->pid = slot->pid;
	event->database_id = slot->database_id;
	event->role_id = slot->role_id;
	strlcpy(event->application_name, slot->application_name, sizeof(event->application_name));
	strlcpy(event->client_addr, slot->client_addr, sizeof(event->client_addr));
}

void
pgv_event_add(PgvEvent *event, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(event->message, sizeof(event->message), format, args);
	va_end(args);
	event->at = GetCurrentTimestamp();

	LWLockAcquire(pgv_lock(PGV_LOCK_EVENTS), LW_EXCLUSIVE);
	event->sequence = pgv_ring_add(event_log, event);
	LWLockRelease(pgv_lock(PGV_LOCK_EVENTS));
}

PgvEvent *
pgv_events_after(int64 sequence, int *count, int64 *lost)
{
	return pgv_ring_read(event_log, pgv_lock(PGV_LOCK_EVENTS), sequence, count, lost);
}

int64
pgv_event_last_sequence(void)
{
	int64		last;

	LWLockAcquire(pgv_lock(PGV_LOCK_EVENTS), LW_SHARED);
	last = event_log->last_sequence;
	LWLockRelease(pgv_lock(PGV_LOCK_EVENTS));
	return last;
}
