/*-------------------------------------------------------------------------
 *
 * policy_table.h
 *	  The rules and budgets in force, what they did, and who is to read the
 *	  tables again.
 *
 * Writer	The database worker publishes what it read (collector/policy_reader.h),
 *			the collector says when it cannot be started; counts of a rule
 *			grow in whatever process acts.
 * Readers	The collector and every login, which copy; SQL functions.
 * Protocol	Rules, budgets and status under PGV_LOCK_POLICY; other ones come into
 *			force while PGV_LOCK_SLOTS is held exclusively too.  A generation grows
 *			with every change of them and can be read without the lock.  Who
 *			takes PGV_LOCK_SLOTS too takes that one first.  Requests and
 *			counts are atomic.
 * Lifetime	From the start of the server; nothing is in force until the worker
 *			has read, some milliseconds after that.
 *
 * extension/src/policy/policy_table.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_POLICY_TABLE_H
#define PGV_POLICY_TABLE_H

#include "postgres.h"

#include "base/part.h"
#include "datatype/timestamp.h"
#include "policy/rule.h"
#include "port/atomics.h"

/* Room for a sentence of the status, with its terminating zero. */
#define PGV_STATUS_BYTES 256

/* What a rule has done, and would have done in a dry run, by PgvAction. */
typedef struct PgvRuleCounts
{
	int64		done[PGV_ACTIONS];
	int64		would[PGV_ACTIONS];
} PgvRuleCounts;

/* A budget in force, and how it was used. */
typedef struct PgvBudgetEntry
{
	PgvBudget	budget;
	int32		highest;		/* most sessions at one time */
	TimestampTz highest_at;		/* when that was reached first, 0 = never */
	int64		refused_count;
	int64		would_refuse_count; /* in a dry run */
	TimestampTz event_at;		/* of the last event, 0 = none */
	int64		untold_count;	/* refusals since then that have no event */
} PgvBudgetEntry;

/* What is known of the tables. */
typedef struct PgvPolicyStatus
{
	uint32		generation;
	int32		rule_count;
	int32		budget_count;
	TimestampTz read_at;		/* when they were read with success, 0 = never */
	char		database[NAMEDATALEN];	/* where, "" = nowhere yet */
	char		error[PGV_STATUS_BYTES];	/* why they could not be read, "" = they could */
	char		left_out[PGV_STATUS_BYTES]; /* rows that are not in force, "" = none */
} PgvPolicyStatus;

/* The part of shared memory that it is. */
extern const PgvPart pgv_policy_table_part;

/*
 * Asks for the tables to be read again, soon.  Any process; wakes the collector.
 */
extern void pgv_policy_request_reading(void);

/* Whether somebody has asked and was not served; *request is for the next call. */
extern bool pgv_policy_is_reading_wanted(uint32 *request);

/* The tables were read as they were after this request. */
extern void pgv_policy_note_served(uint32 request);

/*
 * Puts these in force instead of those there were.  Gives them their serial
 * numbers; a row with the name of one that was there goes on with its counts.
 * Returns whether something has changed.  Called by pgv_policy_put_in_force().
 *
 * REQUIRES: PGV_LOCK_SLOTS exclusively; seats are swapped with it (budget_seats.h).
 */
extern bool pgv_policy_publish(const char *database, PgvRule *rules, int rule_count,
							   PgvBudget *budgets, int budget_count, const char *left_out);

/*
 * Notes why the tables could not be read; what is in force stays.  Returns whether
 * the error is news.
 */
extern bool pgv_policy_note_error(const char *error);

/*
 * Same, but nothing is in force any more; *before is what was.  Called by
 * pgv_policy_put_out_of_force().
 *
 * REQUIRES: as publishing.
 */
extern bool pgv_policy_withdraw(const char *database, const char *error,
								PgvPolicyStatus *before);

extern void pgv_policy_read_status(PgvPolicyStatus *status);

/* Grows when other rules or budgets come into force. */
extern uint32 pgv_policy_generation(void);

/*
 * Copies the rules of the table, in their order, to an array with room for
 * PGV_MAX_RULES; counts may be NULL.  Returns their number.
 */
extern int	pgv_policy_copy_rules(PgvRule *rules, PgvRuleCounts *counts);

/* Counts an act of the rule with this serial, of a setting too. */
extern void pgv_policy_count(int64 serial, PgvAction action, bool is_dry_run);

/* What the rule of a setting has done (PGV_SERIAL_...). */
extern void pgv_policy_counts_of_setting(int64 serial, PgvRuleCounts *counts);

/* Copies the budgets in force to an array with room for PGV_MAX_BUDGETS; their number. */
extern int	pgv_policy_copy_budgets(PgvBudget *budgets);

/*
 * The budgets in force, in the order of their names; *count is their number.
 *
 * REQUIRES: PGV_LOCK_POLICY, and PGV_LOCK_SLOTS exclusively to change how they
 * were used.
 */
extern PgvBudgetEntry *pgv_policy_budgets(int *count);

/* Whether there are budgets, and whether one asks for memberships.  No lock. */
extern bool pgv_policy_has_budgets(void);
extern bool pgv_policy_budgets_need_members(void);

#endif							/* PGV_POLICY_TABLE_H */
