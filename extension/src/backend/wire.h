/*-------------------------------------------------------------------------
 *
 * wire.h
 *	  Stands between the backend and its client, and sees every message go out.
 *
 * ReadyForQuery is the point where a command is over in every respect: the
 * transaction has ended, notifications and changed parameters are sent, nothing
 * of the command can run any more.
 *
 * extension/src/backend/wire.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_WIRE_H
#define PGV_WIRE_H

#include "postgres.h"

/* Installs the hook that taps every client backend.  From _PG_init(). */
extern void pgv_wire_install(void);

#endif							/* PGV_WIRE_H */
