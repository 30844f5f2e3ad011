/*-------------------------------------------------------------------------
 *
 * leak_score.c
 *	  What speaks for a session being forgotten, as a score and in words.
 *
 * A session that waits inside a transaction needs no other evidence than the
 * time: 0.5 when the limit is reached, 0.9 at ten times the limit.
 *
 * A session that waits outside one may be the spare of a pool.  What tells a
 * leak from a spare is what its application does meanwhile: a pool with a spare
 * uses it; an application that has lost it opens another, and later another.
 * So such a session scores
 *		0.2		for waiting longer than pgvalet.leak_idle,
 *		0.1		more if that is 20 times its own mean wait,
 *		0.1		if it was used for a handful of statements only,
 *		0.1		for each time the application opened connections since, at
 *				most 0.5, and at most as often as it has more connections now
 *				than one step (a tenth of pgvalet.leak_idle) after it was
 *				used last.
 * Connections that are opened together (a program that starts, a pool that is
 * filled) are one time; connections that replace others make no more of them.
 *
 * To either is added what it keeps from others meanwhile:
 *		0.1		for holding locks,
 *		0.1		for keeping row versions of many transactions,
 *		0.3		if others wait because of it.
 *
 * Outside a transaction, without others who wait, less than three times of
 * opening never reach PGV_LEAKED_SCORE: who is elected by an advisory lock that
 * nobody waits for holds it for as long as he lives, and does no harm.
 *
 * extension/src/stats/leak_score.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "stats/leak_score.h"

/* A session that was used for no more statements was hardly used. */
#define FEW_STATEMENTS 5

/* Waits this many times longer than the mean are out of character. */
#define UNUSUAL_WAIT 20

/* What one time of opening adds, and all of them at most. */
#define SCORE_PER_OPENING 0.1
#define MOST_FOR_OPENINGS 0.5

/* It takes so many to speak of a habit. */
#define OPENINGS_FOR_HABIT 3

/* The highest score of a session of which neither a habit nor harm is seen. */
#define UNPROVED_SCORE (PGV_LEAKED_SCORE - 0.05)

/* Row versions of so many transactions are many. */
#define OLD_XMIN 10000

/* What makes a regular word plural, if it is to be. */
static const char *
plural(int64 count)
{
	return count == 1 ? "" : "s";
}

/* Scores are shown with two digits, and compared so. */
static double
rounded(double score)
{
	return rint(Min(score, 1.0) * 100) / 100;
}

/* What is added for what the session keeps from others. */
static double
score_of_holdings(const PgvLeak *leak)
{
	double		score = 0;

	if (leak->slot.locks_held > 0)
		score += 0.1;
	if (leak->xmin_age >= OLD_XMIN)
		score += 0.1;
	if (leak->blocked_count > 0)
		score += 0.3;
	return score;
}

/* Adds to the reason what the session keeps from others; nothing if that is nothing. */
static void
describe_holdings(StringInfo reason, const PgvLeak *leak)
{
	int32		locks = leak->slot.locks_held;

	if (locks > 0)
		appendStringInfo(reason, "; holds %d lock%s", locks, plural(locks));
	if (leak->xmin_age >= 0)
		appendStringInfo(reason, "%s keeps row versions up to %d transaction%s old",
						 locks > 0 ? " and" : ";", leak->xmin_age, plural(leak->xmin_age));
	if (leak->blocked_count > 0)
		appendStringInfo(reason, "; %d backend%s because of it", leak->blocked_count,
						 leak->blocked_count == 1 ? " waits" : "s wait");
}

static void
set_reason(PgvLeak *leak, StringInfo reason)
{
	strlcpy(leak->reason, reason->data, sizeof(leak->reason));
	pfree(reason->data);
}

void
pgv_leak_judge_transaction(PgvLeak *leak, int64 limit_us, TimestampTz now)
{
	const PgvBackendSlot *slot = &leak->slot;
	int64		waited_us = now - slot->state_since;
	double		score = Min(0.5 + 0.4 * ((double) waited_us / limit_us - 1) / 9, 0.9);
	StringInfoData reason;

	leak->kind = PGV_LEAK_IDLE_IN_TRANSACTION;
	leak->score = rounded(score + score_of_holdings(leak));

	initStringInfo(&reason);
	appendStringInfo(&reason, "waits inside a%s transaction for %.0f s",
					 slot->state == PGV_STATE_IDLE_IN_TRANSACTION ? "" : " failed",
					 waited_us / 1e6);
	describe_holdings(&reason, leak);
	if (slot->locks_held == 0 && leak->xmin_age < 0)
		appendStringInfoString(&reason, "; holds no lock and keeps no row versions");
	set_reason(leak, &reason);
}

/* What speaks for a leak in the session itself. */
static double
score_of_wait(const PgvBackendSlot *slot, int64 waited_us)
{
	int64		mean_us = (slot->usage.idle_us + slot->usage.idle_in_transaction_us) /
		Max(slot->usage.statement_count, 1);
	double		score = 0.2;

	if (waited_us >= UNUSUAL_WAIT * mean_us)
		score += 0.1;
	if (slot->usage.statement_count <= FEW_STATEMENTS)
		score += 0.1;
	return score;
}

void
pgv_leak_judge_unused(PgvLeak *leak, const PgvLeakHabit *habit, TimestampTz now)
{
	const PgvBackendSlot *slot = &leak->slot;
	int64		waited_us = now - slot->state_since;
	int			growth = Max(habit->growth, 0);
	int			counted = Min(habit->openings, growth);
	double		score = score_of_wait(slot, waited_us) + score_of_holdings(leak) +
		Min(SCORE_PER_OPENING * counted, MOST_FOR_OPENINGS);
	StringInfoData reason;

	leak->kind = PGV_LEAK_UNUSED;
	leak->has_habit = (counted >= OPENINGS_FOR_HABIT);
	if (!leak->has_habit && leak->blocked_count == 0)
		score = Min(score, UNPROVED_SCORE);
	leak->score = rounded(score);

	initStringInfo(&reason);
	appendStringInfo(&reason, "unused for %.0f s after " INT64_FORMAT " statement%s",
					 waited_us / 1e6, slot->usage.statement_count,
					 plural(slot->usage.statement_count));
	if (habit->openings > 0)
		appendStringInfo(&reason, "; since then its application opened connections %d time%s and has %d more of them",
						 habit->openings, plural(habit->openings), growth);
	describe_holdings(&reason, leak);
	set_reason(leak, &reason);
}

void
pgv_leak_judge_group(PgvLeak *group, double highest_score)
{
	group->kind = PGV_LEAK_GROUP;
	group->score = rounded(highest_score + 0.02 * group->leaked_count);
	snprintf(group->reason, sizeof(group->reason),
			 "%d of %d sessions are leaked, and the application goes on to open others",
			 group->leaked_count, group->session_count);
}
