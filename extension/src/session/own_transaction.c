/*-------------------------------------------------------------------------
 *
 * own_transaction.c
 *	  Looking into the catalogs between two transactions of the session.
 *
 * extension/src/session/own_transaction.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/xact.h"
#include "session/own_transaction.h"
#include "utils/memutils.h"

int64
pgv_count_in_transaction(int64 (*count) (void *what), void *what)
{
	MemoryContext context = CurrentMemoryContext;
	volatile int64 counted = -1;

	PG_TRY();
	{
		StartTransactionCommand();
		counted = count(what);
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
		AbortCurrentTransaction();
		counted = -1;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	return counted;
}
