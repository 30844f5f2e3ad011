/*-------------------------------------------------------------------------
 *
 * idle_policy.h
 *	  Looks which rule is for which session, and when it is due.
 *
 * The collector looks at all sessions, finds for each the first rule for what it
 * does and the first for its age, and sleeps until the soonest action is due.
 * Nobody tells it that a session began to wait: it looks often enough to see it
 * before half of the smallest delay in force is over, so that every action comes
 * on time.  Backends pay nothing for that, whatever the rules are.
 *
 * Log, warn and dry runs are the collector's; cancel and end are verdicts
 * (verdict.h), which the backend carries out if its situation is the same.
 *
 * Rules are those of the table (policy_table.h) and behind them those of the two
 * timeouts, of this process, which reads the configuration again at once.
 *
 * extension/src/policy/idle_policy.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_IDLE_POLICY_H
#define PGV_IDLE_POLICY_H

#include "postgres.h"

#include "base/part.h"

/* The part: its memory is the verdicts, its upkeep the look at all sessions. */
extern const PgvPart pgv_idle_policy_part;

/* Sessions ended by each of the two settings. */
extern void pgv_idle_policy_ended_counts(int64 *idle_session, int64 *idle_in_transaction);

#endif							/* PGV_IDLE_POLICY_H */
