/*-------------------------------------------------------------------------
 *
 * prepared_changes.h
 *	  Changes of the catalog by prepared transactions, which another session commits.
 *
 * extension/src/session/prepared_changes.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_PREPARED_CHANGES_H
#define PGV_PREPARED_CHANGES_H

#include "postgres.h"

/* Kinds of changes, as bits. */
#define PGV_CHANGED_DEFAULTS 1
#define PGV_CHANGED_RELATIONS 2

extern Size pgv_prepared_changes_shmem_size(void);
extern void pgv_prepared_changes_shmem_init(void);

/* `publish` is told the kinds of a transaction that was prepared and has now been committed. */
extern void pgv_prepared_changes_install(void (*publish) (int kinds));

/* The open transaction is being prepared, and has made these changes.  Raises no error. */
extern void pgv_prepared_changes_note(int kinds);

#endif							/* PGV_PREPARED_CHANGES_H */
