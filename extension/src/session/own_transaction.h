/*-------------------------------------------------------------------------
 *
 * own_transaction.h
 *	  Looking into the catalogs between two transactions of the session.
 *
 * extension/src/session/own_transaction.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_OWN_TRANSACTION_H
#define PGV_OWN_TRANSACTION_H

#include "postgres.h"

/*
 * What count(what) returns, called in a transaction of its own; -1 if it raised an
 * error, of which nobody hears.  Outside a transaction.
 */
extern int64 pgv_count_in_transaction(int64 (*count) (void *what), void *what);

#endif							/* PGV_OWN_TRANSACTION_H */
