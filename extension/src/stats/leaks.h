/*-------------------------------------------------------------------------
 *
 * leaks.h
 *	  Which sessions look as if their application had forgotten them.
 *
 * A judgement from the slots as they are now and from how many sessions their
 * applications had before (leak_groups.h), and from what they keep from others
 * (holdings.h).  How a score comes about: leak_score.h.
 *
 * extension/src/stats/leaks.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_LEAKS_H
#define PGV_LEAKS_H

#include "postgres.h"

#include "base/part.h"
#include "stats/backend_slot.h"
#include "stats/event_log.h"

/* From this score on a session counts as leaked. */
#define PGV_LEAKED_SCORE 0.5

typedef enum PgvLeakKind
{
	PGV_LEAK_IDLE_IN_TRANSACTION,	/* waits inside a transaction for long */
	PGV_LEAK_UNUSED,			/* waits for long outside one, while others are
								 * opened or wait for it */
	PGV_LEAK_GROUP				/* several unused ones of one application */
} PgvLeakKind;

#define PGV_LEAK_KINDS (PGV_LEAK_GROUP + 1)

/* Names of the kinds, as in pgvalet.leaks.kind. */
extern const char *const pgv_leak_kind_names[PGV_LEAK_KINDS];

typedef struct PgvLeak
{
	PgvLeakKind kind;
	PgvBackendSlot slot;		/* the session; of a group, one of them */
	double		score;			/* 0 to 1, two digits; PGV_LEAKED_SCORE and more:
								 * leaked */
	bool		has_habit;		/* unused: its application goes on to open others */
	int32		xmin_age;		/* transactions whose row versions it keeps, -1 = none */
	int			blocked_count;	/* backends that wait because of it */
	int32	   *blocked_pids;	/* they, those that wait for it itself first */
	int32		session_count;	/* direct sessions of its application and host */
	int32		leaked_count;	/* of these, those that count as leaked */
	char		reason[PGV_EVENT_MESSAGE_BYTES];	/* a sentence, ASCII */
} PgvLeak;

/* The part of shared memory that remembers which leaks were made an event. */
extern const PgvPart pgv_leaks_part;

/* pgvalet.leak_*.  Called once from _PG_init(). */
extern void pgv_leaks_define_settings(void);

/*
 * All sessions and groups with a score above 0, in no order, in the current
 * memory context.
 */
extern PgvLeak *pgv_leaks_find(TimestampTz now, int *count);

#endif							/* PGV_LEAKS_H */
