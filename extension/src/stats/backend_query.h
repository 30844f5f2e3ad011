/*-------------------------------------------------------------------------
 *
 * backend_query.h
 *	  The statement of a backend: its text as pg_stat_activity has it, its query
 *	  id as we know it.
 *
 * extension/src/stats/backend_query.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_BACKEND_QUERY_H
#define PGV_BACKEND_QUERY_H

#include "postgres.h"

#include "stats/backend_slot.h"

typedef struct PgvBackendQuery
{
	int64		query_id;		/* 0 = unknown */
	const char *text;			/* cut off at track_activity_query_size; "" =
								 * unknown */
} PgvBackendQuery;

/*
 * The statement that the owner of a slot runs, or the last it ran; slot is a
 * copy (pgv_slot_copy).  The text is in the current memory context.
 */
extern PgvBackendQuery pgv_backend_query(const PgvBackendSlot *slot);

#endif							/* PGV_BACKEND_QUERY_H */
