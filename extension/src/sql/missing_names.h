/*-------------------------------------------------------------------------
 *
 * missing_names.h
 *	  Names in rules and budgets that stand for no role or database.
 *
 * extension/src/sql/missing_names.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_MISSING_NAMES_H
#define PGV_MISSING_NAMES_H

#include "postgres.h"

#include "policy/rule.h"

/* Those of one row. */
#define PGV_MOST_MISSING (2 + PGV_MAX_NAMES)

typedef struct PgvMissingName
{
	const char *kind;			/* "role" or "database" */
	const char *name;			/* points into the row */
} PgvMissingName;

/*
 * Finds the names among the conditions of a row, and in its list of roles, that
 * stand for nothing.  Returns how many.
 *
 * REQUIRES: a transaction; room for PGV_MOST_MISSING.
 */
extern int	pgv_missing_names(const PgvMatch *match, const PgvNames *roles,
							  PgvMissingName *missing);

#endif							/* PGV_MISSING_NAMES_H */
