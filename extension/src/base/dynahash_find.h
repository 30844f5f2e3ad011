/*-------------------------------------------------------------------------
 *
 * dynahash_find.h
 *	  Hash tables of the server that no header gives, by their names.
 *
 * dynahash.c makes the memory context of a table a child of TopMemoryContext
 * (or of the context asked for), and the context's name is the table's, which
 * lies right behind its header.  So the header is found from the name.  The
 * distance is measured on a table of our own.  True of PostgreSQL 14 to 18.
 *
 * extension/src/base/dynahash_find.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_DYNAHASH_FIND_H
#define PGV_DYNAHASH_FIND_H

#include "postgres.h"

#include "utils/hsearch.h"

/*
 * Measures, the first time; false if this server is not built as we know it.
 */
extern bool pgv_dynahash_start(void);

/* The table of this name, or NULL. */
extern HTAB *pgv_dynahash_find(const char *name);

#endif							/* PGV_DYNAHASH_FIND_H */
