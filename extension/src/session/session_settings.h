/*-------------------------------------------------------------------------
 *
 * session_settings.h
 *	  Settings that this session has changed, and putting others in their place.
 *
 * The server tells a client of changes of the few variables that are marked
 * GUC_REPORT, with all the exactness of its transactions.  In a session that is
 * followed we mark all variables that a session can change: wire.c keeps the
 * messages about ours from the client, and takes them as the sign to look.
 *
 * extension/src/session/session_settings.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_SESSION_SETTINGS_H
#define PGV_SESSION_SETTINGS_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

/* Marks what there is, and what has been defined since.  May raise errors. */
extern void pgv_settings_mark(void);

/* Variables were defined since the last marking.  A few instructions. */
extern bool pgv_settings_grown(void);

/* Whether the client is to hear of this parameter; false for those we marked. */
extern bool pgv_settings_client_knows(const char *name);

/* Appends an item for each setting changed at session level, sorted by name. */
extern void pgv_settings_append(StringInfo out, int *count);

/*
 * How many of these the user who logged in may not SET, so that they cannot be set
 * on another connection: a function of somebody else did.  -1: that could not be
 * found out.  Outside a transaction; raises no error.
 */
extern int	pgv_settings_count_privileged(void);

/*
 * The startup settings that the last restore brought, as it brought them: items,
 * never NULL.  And whether the server's own defaults have changed under them, so
 * that they cannot be taken back.
 */
extern const char *pgv_settings_startup_items(void);
extern bool pgv_settings_are_stale(void);

/*
 * Makes the session carry the settings among these items (PgvItem) and no
 * others.  In a transaction; raises what SET would raise: who asks for it gets no
 * rights by that.  Roles come in two steps, since they decide what else may be
 * done: _restore() ends with the session user, _restore_role() comes last of all.
 */
extern void pgv_settings_restore(List *items);
extern void pgv_settings_restore_role(List *items);

#endif							/* PGV_SESSION_SETTINGS_H */
