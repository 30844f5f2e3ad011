/*-------------------------------------------------------------------------
 *
 * login.h
 *	  From a client's login to its slot, and from its exit to an ended slot.
 *
 * Only client backends: walsenders, parallel workers and background workers
 * have no slot.
 *
 * extension/src/backend/login.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_LOGIN_H
#define PGV_LOGIN_H

#include "postgres.h"

/*
 * The login is done, the server is about to say its first ReadyForQuery: claims
 * our slot and starts the rooms that feed it.
 */
extern void pgv_login_finish(void);

/*
 * The client knows a new application_name: from now on usage goes to it.
 *
 * REQUIRES: pgv_my_slot is set.
 */
extern void pgv_login_rename_application(void);

/*
 * Where the client of this process is: an address of PGV_CLIENT_ADDR_BYTES at
 * most, and its port.  Nothing known, or a Unix socket, gives "" and -1.
 *
 * REQUIRES: MyProcPort is set.
 */
extern void pgv_login_describe_client(char *client_addr, int32 *client_port);

#endif							/* PGV_LOGIN_H */
