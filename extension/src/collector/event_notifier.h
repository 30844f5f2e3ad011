/*-------------------------------------------------------------------------
 *
 * event_notifier.h
 *	  Tells new events by NOTIFY.
 *
 * extension/src/collector/event_notifier.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_EVENT_NOTIFIER_H
#define PGV_EVENT_NOTIFIER_H

#include "postgres.h"

#define PGV_EVENTS_CHANNEL "pgvalet_events"

/*
 * Notifies of every event behind this sequence number, as a JSON object with its
 * sequence, kind and pid, and returns the number of the last one.  If that fails,
 * which stands in the server log, these events are not told.
 *
 * REQUIRES: a process connected to a database, no transaction, not a standby.
 */
extern int64 pgv_event_notifier_run(int64 after_sequence);

#endif							/* PGV_EVENT_NOTIFIER_H */
