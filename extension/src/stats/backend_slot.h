/*-------------------------------------------------------------------------
 *
 * backend_slot.h
 *	  One shared-memory slot per backend: who it is and what it cost.
 *
 * Writer	Only the backend that owns the slot, without a lock, while phase is
 *			PGV_SLOT_LIVE.  An ended slot belongs to whoever holds
 *			PGV_LOCK_SLOTS exclusively: it folds the slot into the
 *			aggregates and frees it (aggregate.h).  A free slot belongs to the
 *			backend whose index it has, which claims it under the same lock.
 * Readers	SQL functions and the collector, from any process.
 * Protocol	The owner makes change_count odd, writes, and makes it even again.
 *			A reader copies the slot and keeps the copy only if change_count
 *			was the same even number before and after.  Writes stay cheap; a
 *			reader may have to try again.  The members application,
 *			application_base and phase change only under PGV_LOCK_SLOTS, with
 *			one exception: a backend ends its own slot without it.
 * Lifetime	The array is made at server start with MaxBackends slots and never
 *			grows.  Only client backends claim one, when their login is done.
 *
 * extension/src/stats/backend_slot.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_BACKEND_SLOT_H
#define PGV_BACKEND_SLOT_H

#include "postgres.h"

#include "base/part.h"
#include "base/settings.h"
#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "stats/usage.h"
#include "utils/backend_status.h"

/* Room for a numeric IPv6 address with scope, with its terminating zero. */
#define PGV_CLIENT_ADDR_BYTES 64

/* What a backend does now. */
typedef enum PgvState
{
	PGV_STATE_ACTIVE,			/* works on a command */
	PGV_STATE_IDLE,				/* waits for one, outside a transaction */
	PGV_STATE_IDLE_IN_TRANSACTION,	/* waits for one, inside a transaction */
	PGV_STATE_IDLE_IN_FAILED_TRANSACTION	/* same, inside a failed one */
} PgvState;

/* Where a slot is in its life; see "Writer" above. */
typedef enum PgvSlotPhase
{
	PGV_SLOT_FREE,				/* nothing in it is meant */
	PGV_SLOT_LIVE,				/* its backend is connected */
	PGV_SLOT_ENDED				/* its backend has gone, not yet folded */
} PgvSlotPhase;

/* What a backend has to see to before its next ReadyForQuery (backend/enforce.h). */
#define PGV_AT_READY_WARNING 0x01	/* a warning for the client is there */
#define PGV_AT_READY_AGE 0x02	/* it is to end if it is outside a transaction */
#define PGV_AT_READY_CANCELLED 0x04 /* a statement is being cancelled: look what came of it */
#define PGV_AT_READY_CHANNELS 0x08	/* LISTEN or UNLISTEN went by */

struct PgvAggregate;

typedef struct PgvBackendSlot
{
	/* Written by every command. */
	pg_atomic_uint32 change_count;	/* odd while the owner is writing */
	int32		phase;			/* PgvSlotPhase */
	int32		state;			/* PgvState */
	pg_atomic_uint32 at_ready;	/* PGV_AT_READY_ bits; set by the owner and the
								 * collector, cleared by the owner */
	TimestampTz state_since;	/* when state was entered */
	PgvUsage	usage;			/* since connect, as of state_since */
	int64		last_query_id;	/* of the last statement, 0 = unknown */
	int64		running_query_id;	/* of the one that runs, 0 = none or unknown;
									 * written alone, without change_count */
	int32		locks_held;		/* when state was entered, number of locks */

	/* Written now and then, at the end of a command. */
	int64		memory_bytes;	/* of all memory contexts */
	TimestampTz memory_sampled_at;	/* 0 = not yet */

	/* Written once, when the slot is claimed. */
	int32		pid;			/* operating-system id of the owner */
	Oid			database_id;	/* database the backend is connected to */
	Oid			role_id;		/* role that logged in */
	int32		client_port;	/* TCP port of the peer, -1 = Unix socket */
	TimestampTz connected_at;	/* when the backend was started */
	int64		login_us;		/* from there to ready for the first command */
	PgBackendStatus *status;	/* the owner's row of pg_stat_activity */
	struct PgvAggregate *role;	/* where usage goes when it has ended */
	struct PgvAggregate *database;
	char		client_addr[PGV_CLIENT_ADDR_BYTES]; /* "" = Unix socket */
	char		agent_name[PGV_AGENT_NAME_BYTES];	/* "" = direct connection */

	/* Written when what the session carries changes; agents' connections only. */
	uint32		pin_reasons;	/* bits by PgvPin; 0 = it can move */
	int32		moved_settings; /* settings changed at session level */
	int32		moved_statements;	/* statements prepared by SQL */
	int64		pinned_objects; /* how many there are for all reasons */
	TimestampTz pinned_since;	/* 0 = not pinned */

	/* Written when application_name changes. */
	struct PgvAggregate *application;
	PgvUsage	application_base;	/* usage under other names */
	char		application_name[NAMEDATALEN];

	/* For the idle policy; written after LISTEN or UNLISTEN. */
	bool		is_listening;	/* to any channel, as of the last transaction */

	/* Written once, when the session ends. */
	TimestampTz ended_at;
	int32		how_ended;		/* PgvEndCause */
	int32		end_sqlerrcode; /* of the FATAL error that ended it, 0 = none */
	int64		cpu_user_us;	/* of the backend since its start, microseconds */
	int64		cpu_system_us;
	char		end_rule[NAMEDATALEN];	/* rule or setting that ended it, "" = none */
} PgvBackendSlot;

/* Two slots never share a cache line, so owners do not slow each other. */
typedef union PgvBackendSlotPadded
{
	PgvBackendSlot slot;
	char		pad[768];
} PgvBackendSlotPadded;

StaticAssertDecl(sizeof(PgvBackendSlotPadded) == 768,
				 "a backend slot outgrew its padding");

/* All slots, and what is counted over them. */
typedef struct PgvSlots
{
	/* Under PGV_LOCK_SLOTS. */
	int32		highest_count;	/* most slots live at one time */
	int32		recent_highest_count;	/* same in the present minute; history.h */
	TimestampTz highest_at;		/* when that was reached first, 0 = never */

	pg_atomic_uint32 live_count;	/* slots live now */
	pg_atomic_uint32 wake_count;	/* so many live ones wake the collector */
	pg_atomic_uint64 session_count; /* slots claimed since started_at */
	TimestampTz started_at;		/* when this memory was made */
	PgvBackendSlotPadded slots[FLEXIBLE_ARRAY_MEMBER];	/* MaxBackends */
} PgvSlots;

/* All slots, or NULL without preloading. */
extern PgvSlots *pgv_slots;

/* Our own slot, or NULL in processes that have none (yet). */
extern PgvBackendSlot *pgv_my_slot;

/* The part of shared memory that they are. */
extern const PgvPart pgv_slots_part;

/* The index of a slot that is in the array. */
static inline int
pgv_slot_index(const PgvBackendSlot *slot)
{
	return (int) ((const PgvBackendSlotPadded *) slot - pgv_slots->slots);
}

/*
 * Copies the slot with this index (0 to MaxBackends - 1) consistently.
 * Returns false, and copies nothing of use, if it is free.
 *
 * The owner writes at the first message of an answer and at its end.  What it
 * does in between is taken from pg_stat_activity: a copy says that a command is
 * running as soon as that does (never, if track_activities is off).
 *
 * An owner that is stopped in the middle of writing cannot be waited for: after
 * some milliseconds the copy is kept as it is.
 */
extern bool pgv_slot_copy(int index, PgvBackendSlot *copy);

/*
 * When the statement began that a copied slot's owner works on: its statement
 * timestamp, microsecond for microsecond, unless track_activities is off.
 *
 * REQUIRES: the copy says PGV_STATE_ACTIVE.
 */
extern TimestampTz pgv_slot_statement_start(const PgvBackendSlot *copy);

/*
 * Adds to usage the time that the slot's state has lasted until then, which its
 * owner has not counted yet.  Nothing for an ended slot.
 */
extern void pgv_slot_add_running_time(const PgvBackendSlot *slot, PgvUsage *usage,
									  TimestampTz until);

/* Live sessions by what they do. */
typedef struct PgvConnectionCounts
{
	int32		all;
	int32		active;
	int32		idle;
	int32		idle_in_transaction;	/* failed transactions too */
	int32		agent;			/* opened by an agent */
} PgvConnectionCounts;

/* Counts the live sessions of the whole server. */
extern PgvConnectionCounts pgv_slots_count_connections(void);

/*
 * Everything between begin and end is a critical section: an error raised
 * there would leave change_count odd for good.  Compute first, then write.
 */
static inline void
pgv_slot_begin_write(PgvBackendSlot *slot)
{
	Assert((pg_atomic_read_u32(&slot->change_count) & 1) == 0);
	pg_atomic_write_u32(&slot->change_count,
						pg_atomic_read_u32(&slot->change_count) + 1);
	pg_write_barrier();
}

static inline void
pgv_slot_end_write(PgvBackendSlot *slot)
{
	pg_write_barrier();
	pg_atomic_write_u32(&slot->change_count,
						pg_atomic_read_u32(&slot->change_count) + 1);
}

#endif							/* PGV_BACKEND_SLOT_H */
