/*-------------------------------------------------------------------------
 *
 * session_statements.c
 *	  Statements that were prepared by SQL (PREPARE), and preparing others.
 *
 * extension/src/session/session_statements.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/xact.h"
#include "commands/prepare.h"
#include "base/dynahash_find.h"
#include "parser/parse_node.h"
#include "parser/parser.h"
#include "session/session_items.h"
#include "session/session_statements.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* One that this session should have, but that cannot be prepared now. */
typedef struct Deferred
{
	char		name[NAMEDATALEN];	/* key */
	char	   *text;			/* in TopMemoryContext */
} Deferred;

static HTAB *deferred = NULL;

bool
pgv_statements_has_deferred(void)
{
	return deferred != NULL && hash_get_num_entries(deferred) > 0;
}

void
pgv_statements_forget(void)
{
	HASH_SEQ_STATUS scan;
	Deferred   *entry;

	if (deferred == NULL)
		return;
	hash_seq_init(&scan, deferred);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		pfree(entry->text);
		hash_search(deferred, entry->name, HASH_REMOVE, NULL);
	}
}

static void
defer(const char *name, const char *text)
{
	Deferred   *entry;
	bool		found;

	if (deferred == NULL)
	{
		HASHCTL		info = {0};

		info.keysize = NAMEDATALEN;
		info.entrysize = sizeof(Deferred);
		deferred = hash_create("pgvalet deferred statements", 16, &info, HASH_ELEM | HASH_STRINGS);
	}
	entry = hash_search(deferred, name, HASH_ENTER, &found);
	if (found)
		pfree(entry->text);
	entry->text = MemoryContextStrdup(TopMemoryContext, text);
}

/* Carries out the text of one PREPARE. */
static void
prepare(const char *text)
{
	List	   *parsed = raw_parser(text, RAW_PARSE_DEFAULT);
	RawStmt    *raw;
	ParseState *state;

	if (list_length(parsed) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("the session state sent by the pgvalet agent is malformed")));
	raw = linitial_node(RawStmt, parsed);
	if (!IsA(raw->stmt, PrepareStmt))
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("the session state sent by the pgvalet agent is malformed")));
	state = make_parsestate(NULL);
	state->p_sourcetext = text;
	PrepareQuery(state, (PrepareStmt *) raw->stmt, raw->stmt_location, raw->stmt_len);
	free_parsestate(state);
}

void
pgv_statements_prepare_deferred(const char *name)
{
	Deferred   *entry;

	if (deferred == NULL || FetchPreparedStatement(name, false) != NULL)
		return;
	entry = hash_search(deferred, name, HASH_FIND, NULL);
	if (entry == NULL)
		return;
	prepare(entry->text);
	pfree(entry->text);
	hash_search(deferred, name, HASH_REMOVE, NULL);
}

bool
pgv_statements_drop_deferred(const char *name)
{
	Deferred   *entry = deferred ? hash_search(deferred, name, HASH_FIND, NULL) : NULL;

	if (entry == NULL)
		return false;
	pfree(entry->text);
	hash_search(deferred, name, HASH_REMOVE, NULL);
	return true;
}

/* ---- what there is ---- */

/* Nothing more is in this text than what ends a statement. */
static bool
is_end(const char *text)
{
	return text[strspn(text, "; \t\r\n")] == '\0';
}

/*
 * The PREPARE itself, out of what was sent or run along with it.  If it was
 * alone, all of its text: pg_prepared_statements shows that.
 */
static char *
text_of(const PreparedStatement *statement)
{
	const CachedPlanSource *source = statement->plansource;
	const char *text = source->query_string;
	int			at = source->raw_parse_tree ? source->raw_parse_tree->stmt_location : 0;
	int			len = source->raw_parse_tree ? source->raw_parse_tree->stmt_len : 0;

	if (at <= 0 && (len <= 0 || is_end(text + len)))
		return pstrdup(text);
	if (at > 0)
		text += at;
	while (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r')
	{
		text++;
		if (len > 0)
			len--;
	}
	return len > 0 ? pnstrdup(text, len) : pstrdup(text);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp((*(PgvItem *const *) a)->name, (*(PgvItem *const *) b)->name);
}

/* All of them, as PgvItems sorted by name. */
static PgvItem **
list_all(int *count)
{
	HTAB	   *table = pgv_dynahash_find("Prepared Queries");
	long		most = (table ? hash_get_num_entries(table) : 0) +
		(deferred ? hash_get_num_entries(deferred) : 0);
	PgvItem   **items = palloc(sizeof(PgvItem *) * (Size) (most + 1));
	HASH_SEQ_STATUS scan;
	PreparedStatement *statement;
	Deferred   *entry;

	*count = 0;
	if (table != NULL)
	{
		hash_seq_init(&scan, table);
		while ((statement = hash_seq_search(&scan)) != NULL)
		{
			PgvItem    *item;

			if (!statement->from_sql)
				continue;
			item = items[(*count)++] = palloc(sizeof(PgvItem));
			item->letter = PGV_ITEM_STATEMENT;
			item->name = pstrdup(statement->stmt_name);
			item->value = text_of(statement);
		}
	}
	if (deferred != NULL)
	{
		hash_seq_init(&scan, deferred);
		while ((entry = hash_seq_search(&scan)) != NULL)
		{
			PgvItem    *item = items[(*count)++] = palloc(sizeof(PgvItem));

			item->letter = PGV_ITEM_STATEMENT;
			item->name = pstrdup(entry->name);
			item->value = pstrdup(entry->text);
		}
	}
	qsort(items, (size_t) *count, sizeof(PgvItem *), by_name);
	return items;
}

void
pgv_statements_append(StringInfo out, int *count)
{
	PgvItem   **items = list_all(count);

	for (int i = 0; i < *count; i++)
	{
		pgv_items_append(out, PGV_ITEM_STATEMENT);
		pgv_items_append_text(out, items[i]->name);
		pgv_items_append_text(out, items[i]->value);
	}
}

/* ---- preparing others ---- */

/*
 * Prepares one, in a subtransaction.  If it cannot be prepared now (its table
 * is gone), that is its user's business, and not now: it stays known.
 */
static void
prepare_or_defer(const PgvItem *item)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		prepare(item->value);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		defer(item->name, item->value);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}

static bool
has(PgvItem **items, int count, const PgvItem *wanted)
{
	PgvItem   **found = bsearch(&wanted, items, (size_t) count, sizeof(PgvItem *), by_name);

	return found != NULL && strcmp((*found)->value, wanted->value) == 0;
}

void
pgv_statements_restore(List *items)
{
	int			now_count;
	PgvItem   **now = list_all(&now_count);
	PgvItem   **then = palloc(sizeof(PgvItem *) * (Size) (list_length(items) + 1));
	int			then_count = 0;
	ListCell   *cell;

	foreach(cell, items)
	{
		PgvItem    *item = lfirst(cell);

		if (item->letter == PGV_ITEM_STATEMENT)
			then[then_count++] = item;
	}
	qsort(then, (size_t) then_count, sizeof(PgvItem *), by_name);
	for (int i = 0; i < now_count; i++)
	{
		if (has(then, then_count, now[i]) || pgv_statements_drop_deferred(now[i]->name))
			continue;
		DropPreparedStatement(now[i]->name, false);
	}
	for (int i = 0; i < then_count; i++)
	{
		if (!has(now, now_count, then[i]))
			prepare_or_defer(then[i]);
	}
}
