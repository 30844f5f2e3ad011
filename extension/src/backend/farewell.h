/*-------------------------------------------------------------------------
 *
 * farewell.h
 *	  Listens to the server's last words in a client backend: why it ends a
 *	  session, or does not let a client in.
 *
 * The words come by the server's log, so with log_min_messages = panic there are
 * none: refused logins are not counted then, and the SQLSTATE of an end is unknown.
 *
 * extension/src/backend/farewell.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_FAREWELL_H
#define PGV_FAREWELL_H

#include "postgres.h"

/* Installs the hooks.  Called once from _PG_init(). */
extern void pgv_farewell_install(void);

#endif							/* PGV_FAREWELL_H */
