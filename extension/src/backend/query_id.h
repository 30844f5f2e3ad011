/*-------------------------------------------------------------------------
 *
 * query_id.h
 *	  Which statement is being answered: the query id that the server gave it.
 *
 * The server reports query ids in pg_stat_activity, but not every one of a
 * pipeline to us, and older releases lose those of prepared statements; so we
 * look at what the executor is given.  Only statements that the client sent have
 * a say, not those inside functions.
 *
 * extension/src/backend/query_id.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_QUERY_ID_H
#define PGV_QUERY_ID_H

#include "postgres.h"

#include "stats/backend_slot.h"

/* The statement that is being answered has begun: what begins now is inside it. */
extern bool pgv_query_id_is_noted;

/* pgvalet.track_queries.  Called once from _PG_init(). */
extern void pgv_query_id_define_settings(void);

/* Makes the server compute ids, and installs the hook.  From _PG_init(), after the settings. */
extern void pgv_query_id_install(void);

/* A statement has been answered, or has failed. */
static inline void
pgv_query_id_statement_ended(void)
{
	pgv_query_id_is_noted = false;
}

/*
 * The id of the last statement of a command that has been answered, 0 = unknown.
 *
 * REQUIRES: pgv_my_slot is set, ReadyForQuery is next.
 */
static inline int64
pgv_query_id_of_command(void)
{
	int64		id = pgv_my_slot->running_query_id;

	/* Utility statements do not come to the executor; the server has their id. */
	return likely(id != 0) ? id : (int64) MyBEEntry->st_query_id;
}

#endif							/* PGV_QUERY_ID_H */
