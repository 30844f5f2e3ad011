/*-------------------------------------------------------------------------
 *
 * activity.h
 *	  Feeds the own slot: what this backend does and what it costs.
 *
 * Counting goes on in process-local memory, and is published in the slot at the
 * first message of an answer (state and waiting time) and at its end
 * (everything).
 *
 * extension/src/backend/activity.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_ACTIVITY_H
#define PGV_ACTIVITY_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "stats/usage.h"

/* What this session cost up to now; wire.c counts messages into it directly. */
extern PgvUsage pgv_my_usage;

/* No message was sent since the last ReadyForQuery; false before the first. */
extern bool pgv_activity_is_waiting;

/* Begins counting transactions.  Called once, when the slot is claimed. */
extern void pgv_activity_start(void);

/*
 * A message is about to be sent, the first one since ReadyForQuery: publishes
 * that a command is running, if there is one.
 *
 * REQUIRES: pgv_activity_is_waiting.
 */
extern void pgv_activity_first_message(void);

/*
 * A command is answered, the server is about to say ReadyForQuery with this
 * transaction status ('I', 'T' or 'E'): counts it and publishes.
 *
 * REQUIRES: pgv_my_slot is set.
 */
extern void pgv_activity_ready(char transaction_status);

/*
 * The backend ends: counts what is left and publishes for the last time.
 *
 * REQUIRES: pgv_my_slot is set.
 */
extern void pgv_activity_end(void);

/*
 * Whether a command has come since the last ReadyForQuery.  May be called from
 * a signal handler.
 */
extern bool pgv_activity_command_came(void);

/*
 * When the server began to wait for the next command.  Mostly costs nothing:
 * the server has asked the clock already.
 *
 * REQUIRES: it is just about to say ReadyForQuery.
 */
extern TimestampTz pgv_activity_ready_time(void);

#endif							/* PGV_ACTIVITY_H */
