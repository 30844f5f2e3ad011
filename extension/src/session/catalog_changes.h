/*-------------------------------------------------------------------------
 *
 * catalog_changes.h
 *	  Changes of the catalog that make what an agent holds of its backends old.
 *
 * Two kinds: defaults of settings for new sessions (ALTER ROLE SET, ALTER
 * DATABASE SET), and what texts of statements mean: columns of relations (ALTER
 * TABLE and its like, DROP), and what hides or replaces objects (CREATE TABLE, of
 * functions, operators, casts, schemas).
 * Every backend counts what it has committed in shared memory; backends of agents
 * compare the counts at their ReadyForQuery.
 *
 * Counts of different roles or databases may share a place: then something is
 * taken for changed that is not, which costs a connection or a Parse.
 *
 * extension/src/session/catalog_changes.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_CATALOG_CHANGES_H
#define PGV_CATALOG_CHANGES_H

#include "postgres.h"

#include "base/part.h"
#include "port/atomics.h"

#define PGV_CHANGE_PLACES 256

/*
 * Writers: any backend, after its commit.  Readers: any backend, without a lock.
 * Changes after a crash of the server start at 0, as its sessions do.
 */
typedef struct PgvCatalogChanges
{
	pg_atomic_uint32 all;		/* after a change of any other member */
	pg_atomic_uint32 all_defaults;
	pg_atomic_uint32 defaults[PGV_CHANGE_PLACES];	/* by database and role */
	pg_atomic_uint32 relations[PGV_CHANGE_PLACES];	/* by database */
} PgvCatalogChanges;

extern PgvCatalogChanges *pgv_catalog_changes;

/* The part of shared memory that they are. */
extern const PgvPart pgv_catalog_changes_part;

extern void pgv_catalog_changes_install(void);

/* The count of all changes. */
static inline uint32
pgv_catalog_changes_all(void)
{
	return pg_atomic_read_u32(&pgv_catalog_changes->all);
}

/* The count of all changes of defaults. */
static inline uint32
pgv_catalog_changes_all_defaults(void)
{
	return pg_atomic_read_u32(&pgv_catalog_changes->all_defaults);
}

/* Changes that sessions of this role in this database begin with. */
extern uint32 pgv_catalog_changes_defaults(Oid database, Oid role);

/* Changes of relations of this database. */
extern uint32 pgv_catalog_changes_relations(Oid database);

#endif							/* PGV_CATALOG_CHANGES_H */
