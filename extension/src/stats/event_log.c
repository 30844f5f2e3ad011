/*-------------------------------------------------------------------------
 *
 * event_log.c
 *	  Ring of what happened.
 *
 * extension/src/stats/event_log.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/settings.h"
#include "stats/event_log.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

/* The ring: the event with sequence number n is at (n - 1) % pgv_max_events. */
typedef struct PgvEventLog
{
	int64		last_sequence;	/* highest number given, 0 = none */
	int64		first_sequence; /* lowest number still there, if any is */
	PgvEvent	events[FLEXIBLE_ARRAY_MEMBER];
} PgvEventLog;

static PgvEventLog *event_log = NULL;

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
	return add_size(offsetof(PgvEventLog, events), mul_size(pgv_max_events, sizeof(PgvEvent)));
}

static void
log_make(void)
{
	bool		found;

	event_log = ShmemInitStruct("pgvalet events", log_size(), &found);
	if (!found)
	{
		memset(event_log, 0, log_size());
		event_log->first_sequence = 1;
	}
}

static void
log_count(int64 *used, int64 *limit)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_EVENTS), LW_SHARED);
	*used = event_log->last_sequence + 1 - event_log->first_sequence;
	LWLockRelease(pgv_lock(PGV_LOCK_EVENTS));
	*limit = pgv_max_events;
}

/* Forgets the events, not their numbers: a reader has lost them. */
static void
log_reset(void)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_EVENTS), LW_EXCLUSIVE);
	event_log->first_sequence = event_log->last_sequence + 1;
	LWLockRelease(pgv_lock(PGV_LOCK_EVENTS));
}

const PgvPart pgv_event_log_part = {
	.name = "events",
	.size = log_size,
	.make = log_make,
	.count = log_count,
	.reset = log_reset,
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
	event->sequence = ++event_log->last_sequence;
	event_log->events[(event->sequence - 1) % pgv_max_events] = *event;
	if (event->sequence - event_log->first_sequence >= pgv_max_events)
		event_log->first_sequence = event->sequence - pgv_max_events + 1;
	LWLockRelease(pgv_lock(PGV_LOCK_EVENTS));
}

PgvEvent *
pgv_events_after(int64 sequence, int *count, int64 *lost)
{
	/* Not palloc under the lock: a whole ring always fits. */
	PgvEvent   *copy = palloc(mul_size(pgv_max_events, sizeof(PgvEvent)));
	int64		first;

	LWLockAcquire(pgv_lock(PGV_LOCK_EVENTS), LW_SHARED);
	first = Max(sequence + 1, event_log->first_sequence);
	*lost = first - (Max(sequence, 0) + 1);
	*count = 0;
	for (int64 n = first; n <= event_log->last_sequence; n++)
		copy[(*count)++] = event_log->events[(n - 1) % pgv_max_events];
	LWLockRelease(pgv_lock(PGV_LOCK_EVENTS));
	return copy;
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
