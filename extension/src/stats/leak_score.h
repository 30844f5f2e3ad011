/*-------------------------------------------------------------------------
 *
 * leak_score.h
 *	  What speaks for a session being forgotten, as a score and in words.
 *
 * Pure functions of what was read before.  How a score comes about is said in
 * leak_score.c and, for users, in docs/extension/leaks.md.
 *
 * extension/src/stats/leak_score.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_LEAK_SCORE_H
#define PGV_LEAK_SCORE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "stats/leaks.h"

/* What the application of an unused session has done since it was used. */
typedef struct PgvLeakHabit
{
	int			openings;		/* times at which it opened connections */
	int			growth;			/* connections that it has more, < 0 = less */
} PgvLeakHabit;

/*
 * Judge a session of which slot, xmin_age and blocked_count are filled in: they
 * give it kind, score, reason and has_habit.
 */
extern void pgv_leak_judge_transaction(PgvLeak *leak, int64 limit_us, TimestampTz now);
extern void pgv_leak_judge_unused(PgvLeak *leak, const PgvLeakHabit *habit, TimestampTz now);

/* Gives a group, of which the counts are filled in, its score and reason. */
extern void pgv_leak_judge_group(PgvLeak *group, double highest_score);

#endif							/* PGV_LEAK_SCORE_H */
