/*-------------------------------------------------------------------------
 *
 * idle_policy.h
 *	  Ends sessions that wait too long for their client, exactly on time.
 *
 * The limits in force live in shared memory, with a generation that grows when
 * they change.  A session arms its own timer when it becomes idle, by the
 * limits of that moment, and notes their generation in its slot.  When limits
 * change, the collector publishes them and looks after the sessions that were
 * idle already: it sends SIGUSR2 at the due time.  Timer and signal only make
 * the session look again: it decides itself, by its own state and the limits of
 * now, so a session that has just got a command is never ended.
 *
 * Writer	The postmaster at start, then only the collector.
 * Readers	Every client backend, at every ReadyForQuery and in signal handlers.
 * Protocol	Limits are written before the generation, and read after it: who has
 *			seen a generation has limits at least as new.
 *
 * extension/src/policy/idle_policy.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_IDLE_POLICY_H
#define PGV_IDLE_POLICY_H

#include "postgres.h"

#include "base/part.h"

/* Installs the hook for the message.  Called once from _PG_init(). */
extern void pgv_idle_policy_install(void);

/* The part of shared memory that it is. */
extern const PgvPart pgv_idle_policy_part;

/* Makes this backend obey the policy.  Called once, when its slot is claimed. */
extern void pgv_idle_policy_start(void);

/*
 * Around pgv_activity_ready(): notes before it which limits are going to be
 * used, and arms the timer after it.  The timer is left alone if it will fire
 * early enough, so a busy session sets it once per limit and not per command.
 */
extern void pgv_idle_policy_note_generation(void);
extern void pgv_idle_policy_arm(void);

/* The backend ends: counts it if the policy is the reason. */
extern void pgv_idle_policy_end(void);

/* Sessions ended by each of the two settings. */
extern void pgv_idle_policy_ended_counts(int64 *idle_session, int64 *idle_in_transaction);

#endif							/* PGV_IDLE_POLICY_H */
