/*-------------------------------------------------------------------------
 *
 * event_notifier.c
 *	  Tells new events by NOTIFY.
 *
 * extension/src/collector/event_notifier.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/xact.h"
#include "collector/event_notifier.h"
#include "commands/async.h"
#include "stats/event_log.h"
#include "utils/memutils.h"

static void
notify_of(const PgvEvent *event)
{
	char		pid[16] = "null";

	if (event->pid != 0)
		snprintf(pid, sizeof(pid), "%d", event->pid);
	/* Kinds need no quoting. */
	Async_Notify(PGV_EVENTS_CHANNEL,
				 psprintf("{\"sequence\": " INT64_FORMAT ", \"kind\": \"%s\", \"pid\": %s}",
						  event->sequence, pgv_event_kind_names[event->kind], pid));
}

/* In one transaction, so that they come together and in order. */
static int64
notify_all(int64 after_sequence)
{
	PgvEvent   *events;
	int			count;
	int64		lost;
	int64		last = after_sequence;

	StartTransactionCommand();
	events = pgv_events_after(after_sequence, &count, &lost);
	for (int i = 0; i < count; i++)
		notify_of(&events[i]);
	if (count > 0)
		last = events[count - 1].sequence;
	CommitTransactionCommand();
	return last;
}

int64
pgv_event_notifier_run(int64 after_sequence)
{
	MemoryContext context = CurrentMemoryContext;
	volatile int64 last = after_sequence;

	PG_TRY();
	{
		last = notify_all(after_sequence);
	}
	PG_CATCH();
	{
		/* The queue is full, for example: who listens sees that numbers are missing. */
		MemoryContextSwitchTo(context);
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		last = pgv_event_last_sequence();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	return last;
}
