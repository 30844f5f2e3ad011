/*-------------------------------------------------------------------------
 *
 * listening.h
 *	  Whether this session listens, in its slot: for rules that spare listeners.
 *
 * A hook sees LISTEN, UNLISTEN and DISCARD go by, wherever they stand; what came
 * of them is asked when the transaction is over, so other commands pay nothing.
 *
 * extension/src/backend/listening.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_LISTENING_H
#define PGV_LISTENING_H

#include "postgres.h"

/* Installs the hook.  Called once from _PG_init(). */
extern void pgv_listening_install(void);

/*
 * Publishes whether there is a channel.
 *
 * REQUIRES: our slot is ours, and there is no transaction.
 */
extern void pgv_listening_look(void);

#endif							/* PGV_LISTENING_H */
