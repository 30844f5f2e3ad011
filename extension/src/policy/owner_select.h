/*-------------------------------------------------------------------------
 *
 * owner_select.h
 *	  Reads a table with the rights of its owner, whoever is reading.
 *
 * Whoever owns a table can let code of his run when it is read: by casts and
 * operators of types of his, in constraints, in statistics.  So none of our
 * readers, superusers mostly, reads rules and budgets by a plain query.
 *
 * extension/src/policy/owner_select.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_OWNER_SELECT_H
#define PGV_OWNER_SELECT_H

#include "postgres.h"

/* A column that a query reads. */
typedef struct PgvColumn
{
	const char *name;
	Oid			type;			/* that it has to have */
} PgvColumn;

/*
 * Runs a query that reads these columns of this table, and leaves its rows in
 * SPI_tuptable, as SPI_execute() does.  An error if a column is missing or of
 * another type.  The query runs as the owner, in a security-restricted operation,
 * and finds only what is in pg_catalog or named with its schema.
 *
 * REQUIRES: SPI, a snapshot, a lock on the table.
 */
extern void pgv_owner_select(Oid table, const PgvColumn *columns, int column_count,
							 const char *query);

#endif							/* PGV_OWNER_SELECT_H */
