/*-------------------------------------------------------------------------
 *
 * session_sequences.c
 *	  What lastval() and currval() know, taken out and put in again.
 *
 * The server keeps it in a hash table of its own, one entry for each sequence
 * that the session has used, and a pointer to the one used last.  An entry with
 * numbers in store gives the next of them to nextval() without touching the
 * sequence: so is a value put in, and made the last one.
 *
 * extension/src/session/session_sequences.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/xact.h"
#include "commands/sequence.h"
#include "base/dynahash_find.h"
#include "session/session_items.h"
#include "session/session_sequences.h"
#include "base/settings.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#define TABLE_NAME "Sequence values"

/* The newest child of TopMemoryContext when we looked last: a new table is before it. */
static MemoryContext newest_seen = NULL;

bool		pgv_sequences_are_fresh = false;

bool
pgv_sequences_touched(void)
{
	if (unlikely(pgv_sequences_are_fresh))
		return false;
	if (likely(TopMemoryContext->firstchild == newest_seen))
		return false;
	/* One client has the session to itself: what it knows stays. */
	if (strcmp(pgv_agent_pool_mode, "session") == 0)
		return false;
	if (pgv_dynahash_find(TABLE_NAME) != NULL)
		return true;
	newest_seen = TopMemoryContext->firstchild;
	return false;
}

/* What lastval() says; false if it says nothing.  Needs a transaction of its own. */
static bool
ask_lastval(int64 *value)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool known = false;

	PG_TRY();
	{
		LOCAL_FCINFO(fcinfo, 0);

		StartTransactionCommand();
		InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
		*value = DatumGetInt64(lastval(fcinfo));
		known = true;
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
		AbortCurrentTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	return known;
}

void
pgv_sequences_take(StringInfo out)
{
	HTAB	   *table = pgv_dynahash_find(TABLE_NAME);
	HASH_SEQ_STATUS scan;
	PgvSequenceState *entry;
	int			valid = 0;
	int64		last = 0;

	if (table == NULL)
		return;
	hash_seq_init(&scan, table);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (!entry->last_valid)
			continue;
		valid++;
		last = entry->last;
		pgv_items_append(out, PGV_ITEM_CURRVAL);
		pgv_items_append_text(out, psprintf("%u", entry->relid));
		pgv_items_append_text(out, psprintf(INT64_FORMAT, entry->last));
	}
	/* Of several only the server knows which was used last. */
	if (valid == 1 || (valid > 1 && ask_lastval(&last)))
	{
		pgv_items_append(out, PGV_ITEM_LASTVAL);
		pgv_items_append_text(out, psprintf(INT64_FORMAT, last));
	}
	ResetSequenceCaches();
	newest_seen = TopMemoryContext->firstchild;
}

/* Makes currval() of this sequence, and lastval(), say this. */
static void
put_in(Oid sequence, int64 value)
{
	HTAB	   *table;
	PgvSequenceState *entry;

	/* Makes the server's entry for it. */
	(void) OidFunctionCall1(F_PG_SEQUENCE_LAST_VALUE, ObjectIdGetDatum(sequence));
	table = pgv_dynahash_find(TABLE_NAME);
	entry = table ? hash_search(table, &sequence, HASH_FIND, NULL) : NULL;
	if (entry == NULL || entry->relid != sequence)
		return;
	entry->increment = 1;
	entry->cached = value;
	entry->last = value - 1;
	entry->last_valid = true;
	(void) nextval_internal(sequence, false);
}

static void
put_in_or_not(Oid sequence, int64 value)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		put_in(sequence, value);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}

static int64
number(const char *text)
{
	return pg_strtoint64(text);
}

void
pgv_sequences_restore(const char *state, Size len)
{
	List	   *items = pgv_items_parse(state, len);
	const PgvItem *used_last = NULL;
	const char *last = NULL;
	ListCell   *cell;

	foreach(cell, items)
	{
		const PgvItem *item = lfirst(cell);

		if (item->letter == PGV_ITEM_LASTVAL)
			last = item->name;
	}
	foreach(cell, items)
	{
		const PgvItem *item = lfirst(cell);

		if (item->letter != PGV_ITEM_CURRVAL)
			continue;
		if (used_last == NULL && last != NULL && strcmp(item->value, last) == 0)
			used_last = item;
		else
			put_in_or_not((Oid) number(item->name), number(item->value));
	}
	if (used_last != NULL)
		put_in_or_not((Oid) number(used_last->name), number(used_last->value));
	pgv_sequences_are_fresh = true;
}
