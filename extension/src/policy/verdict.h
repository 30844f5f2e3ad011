/*-------------------------------------------------------------------------
 *
 * verdict.h
 *	  What the collector has decided about a session, for its backend to carry
 *	  out, and what it remembers of it.
 *
 * A verdict names the situation it was made for.  The backend carries it out only
 * if it still is in that situation, which nobody but the backend itself can tell
 * without a race (backend/enforce.h).
 *
 * Writer	The collector alone.
 * Readers	The backend at this place, in its handler of SIGUSR2 and before
 *			ReadyForQuery; progress: the collector, and SQL functions, which
 *			take them as they are.
 * Protocol	change_count is odd while a verdict is being written.  A reader that
 *			meets that leaves it: it is told when the new one is there.
 * Lifetime	MaxBackends places, made at server start; pid says whom it is for.
 *
 * extension/src/policy/verdict.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_VERDICT_H
#define PGV_VERDICT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "policy/client_wait.h"
#include "policy/rule.h"

/* Verdicts of different kinds do not replace each other. */
typedef enum PgvVerdictKind
{
	PGV_VERDICT_STATE,			/* cancel or end, for what the session does */
	PGV_VERDICT_AGE,			/* end, for its age, when it is idle */
	PGV_VERDICT_WARNING			/* tell the client */
} PgvVerdictKind;

#define PGV_VERDICT_KINDS (PGV_VERDICT_WARNING + 1)

typedef struct PgvVerdict
{
	int32		pid;			/* whom it is for, 0 = nobody */
	int32		action;			/* PgvAction */
	int32		state;			/* PgvState it was made for; nothing for an age */
	int32		rule_state;		/* PgvRuleState of the situation */
	uint32		generation;		/* of the rules it comes from */
	TimestampTz since;			/* when the situation began */
	TimestampTz state_since;	/* when the state began */
	TimestampTz made_at;		/* when it was made, or made again */
	int64		allowed_us;		/* how long the rule allows it, microseconds */
	int64		end_after_us;	/* in a warning: after how long it is ended, 0 = never */
	int64		rule_serial;
	bool		is_setting;		/* the rule is one of the two timeouts */
	bool		spares_advisory_locks;	/* of the rule */
	bool		spares_listeners;
	char		rule_name[NAMEDATALEN];
} PgvVerdict;

/* What a session does, and its age, are followed apart, and so are dry runs. */
typedef enum PgvProgressKind
{
	PGV_PROGRESS_STATE,
	PGV_PROGRESS_AGE,
	PGV_PROGRESS_WAIT,			/* a wait for the client inside a command */
	PGV_PROGRESS_DRY_STATE,
	PGV_PROGRESS_DRY_AGE,
	PGV_PROGRESS_DRY_WAIT
} PgvProgressKind;

#define PGV_PROGRESS_KINDS (PGV_PROGRESS_DRY_WAIT + 1)

/* The same of a dry run. */
#define PGV_PROGRESS_DRY(kind) ((PgvProgressKind) ((kind) + PGV_PROGRESS_DRY_STATE))

/* How far a rule has gone with a session in one situation. */
typedef struct PgvProgress
{
	int32		pid;			/* of the session, 0 = none */
	int32		state;			/* PgvRuleState */
	TimestampTz since;			/* begin of the situation */
	int64		rule_serial;
	uint32		done;			/* bits by PgvAction: what was done, or said in a dry run */
	bool		is_spared;		/* by an advisory lock, until not_before at least */
	TimestampTz spared_asked_at;	/* when that was found out */
	int32		poke_count;		/* signals sent for the last action */
	TimestampTz not_before;		/* nothing is done before, 0 = at once */
} PgvProgress;

/* Memory of the part that they are (idle_policy.h). */
extern Size pgv_verdicts_size(void);
extern void pgv_verdicts_make(void);

/* The collector's memory of the backend at this place. */
extern PgvProgress *pgv_progress_of(int index, PgvProgressKind kind);
extern PgvClientWait *pgv_client_wait_of(int index);

/* Writes a verdict for the backend at this place.  The collector only. */
extern void pgv_verdict_write(int index, PgvVerdictKind kind, const PgvVerdict *verdict);

/*
 * Copies the verdict; false if it is being written.  May be called from a signal
 * handler.
 */
extern bool pgv_verdict_read(int index, PgvVerdictKind kind, PgvVerdict *verdict);

/* pgvalet.policy_contact as of the collector; publish: the collector only. */
extern void pgv_verdict_publish_contact(void);
extern void pgv_verdict_copy_contact(char *contact);

#endif							/* PGV_VERDICT_H */
