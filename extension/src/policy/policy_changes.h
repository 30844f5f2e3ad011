/*-------------------------------------------------------------------------
 *
 * policy_changes.h
 *	  Notices transactions that change pgvalet.idle_policy or
 *	  pgvalet.connection_budget, or whether they are there, and lets the tables be
 *	  read again when such a transaction has committed.
 *
 * Rows: a statement trigger on both tables.  The tables themselves, extensions
 * and databases: the server's hook for access to objects.  What is noticed too
 * often costs a reading, nothing more.
 *
 * A transaction that is prepared is read when it is prepared: the reader finds its
 * locks and comes back until they are gone (collector/policy_reader.h).
 *
 * extension/src/policy/policy_changes.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_POLICY_CHANGES_H
#define PGV_POLICY_CHANGES_H

#include "postgres.h"

/* The tables, in schema pgvalet. */
#define PGV_SCHEMA "pgvalet"
#define PGV_RULES_TABLE "idle_policy"
#define PGV_BUDGETS_TABLE "connection_budget"

/* Installs the hook.  Called once from _PG_init(). */
extern void pgv_policy_changes_install(void);

/* The open transaction changes what is in force. */
extern void pgv_policy_changes_note(void);

/* Same, by writing rows of this table: an event says who did when it commits. */
extern void pgv_policy_changes_note_rows(const char *table);

#endif							/* PGV_POLICY_CHANGES_H */
