/*-------------------------------------------------------------------------
 *
 * session_statements.h
 *	  Statements that were prepared by SQL (PREPARE), and preparing others.
 *
 * extension/src/session/session_statements.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_SESSION_STATEMENTS_H
#define PGV_SESSION_STATEMENTS_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"

/* Forgets those that a restore could not prepare, as DEALLOCATE ALL does. */
extern void pgv_statements_forget(void);

/* Any that a restore could not prepare?  Then the two below have work to do. */
extern bool pgv_statements_has_deferred(void);

/* The named one is going to be executed: prepares it now, or raises why it cannot be. */
extern void pgv_statements_prepare_deferred(const char *name);

/* DEALLOCATE of the named one: true if it was a deferred one, and is gone. */
extern bool pgv_statements_drop_deferred(const char *name);

/* Appends an item for each, sorted by name. */
extern void pgv_statements_append(StringInfo out, int *count);

/* Makes the session have the statements among these items (PgvItem) and no others. */
extern void pgv_statements_restore(List *items);

#endif							/* PGV_SESSION_STATEMENTS_H */
