/*-------------------------------------------------------------------------
 *
 * backend_query.c
 *	  The statement of a backend.
 *
 * extension/src/stats/backend_query.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/query_text.h"
#include "stats/backend_query.h"

/* After so many torn copies it is not worth waiting for. */
#define COPY_TRIES 1000

/*
 * Copies text and query id out of the backend's row of pg_stat_activity, by its
 * protocol.  Returns false if the row is another's, or changes all the time.
 */
static bool
copy_from_status(const PgvBackendSlot *slot, char *text, int64 *query_id)
{
	volatile PgBackendStatus *status = slot->status;

	for (int attempt = 0; attempt < COPY_TRIES; attempt++)
	{
		int			before;
		int			after;
		int			pid;

		pgstat_begin_read_activity(status, before);
		pid = status->st_procpid;
		memcpy(text, status->st_activity_raw, pgstat_track_activity_query_size);
		*query_id = (int64) status->st_query_id;
		pgstat_end_read_activity(status, after);
		if (pgstat_read_activity_complete(before, after))
			return pid == slot->pid;
	}
	return false;
}

PgvBackendQuery
pgv_backend_query(const PgvBackendSlot *slot)
{
	PgvBackendQuery query = {.query_id = 0,.text = ""};
	char	   *raw = palloc(pgstat_track_activity_query_size);
	int64		reported;

	if (!copy_from_status(slot, raw, &reported))
		return query;
	query.text = pgv_query_text_clip(raw, pgstat_track_activity_query_size);

	/* Older releases lose theirs as soon as a prepared statement is executed. */
	if (slot->state != PGV_STATE_ACTIVE)
		query.query_id = slot->last_query_id;
	else
		query.query_id = reported != 0 ? reported : slot->running_query_id;
	return query;
}
