/*-------------------------------------------------------------------------
 *
 * io_budget.h
 *	  How many bytes per second a role, a database, an application or the whole
 *	  server is meant to read and write: the setting pgvalet.io_budgets.
 *
 *		server=200MB, application:*=20MB, application:reports=50MB, role:"a,b"=1MB
 *
 * "*" is for every name that is not there itself.  A budget is compared with what
 * was used, nothing is held back.
 *
 * extension/src/stats/io_budget.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_IO_BUDGET_H
#define PGV_IO_BUDGET_H

#include "postgres.h"

/* Defines pgvalet.io_budgets.  Called once from _PG_init(). */
extern void pgv_io_budget_define_settings(void);

/* Whether there can be budgets by this. */
extern bool pgv_io_budget_is_dimension(const char *name);

/*
 * The budget of what has this name in a dimension ("server", "role", "database",
 * "application"), in bytes per second; 0 = none.  The name of the server is "".
 */
extern double pgv_io_budget(const char *dimension, const char *name);

#endif							/* PGV_IO_BUDGET_H */
