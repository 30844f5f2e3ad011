/*-------------------------------------------------------------------------
 *
 * session_items.c
 *	  The form in which backend and agent tell each other about a session.
 *
 * extension/src/session/session_items.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "session/session_items.h"
#include "utils/memutils.h"

void
pgv_items_append(StringInfo out, char letter)
{
	appendStringInfoChar(out, letter);
}

void
pgv_items_append_field(StringInfo out, const char *bytes, Size len)
{
	appendStringInfo(out, "%zu:", len);
	appendBinaryStringInfo(out, bytes, (int) len);
}

void
pgv_items_append_text(StringInfo out, const char *text)
{
	pgv_items_append_field(out, text, strlen(text));
}

static void
refuse(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("the session state sent by the pgvalet agent is malformed")));
}

/* The field at *at, palloc'd; moves behind it. */
static char *
take_field(const char **at, const char *end)
{
	Size		len = 0;
	char	   *field;

	if (*at == end || **at < '0' || **at > '9')
		refuse();
	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++)
	{
		len = len * 10 + (Size) (**at - '0');
		if (len > MaxAllocSize)
			refuse();
	}
	if (*at == end || **at != ':')
		refuse();
	(*at)++;
	if ((Size) (end - *at) < len)
		refuse();
	field = pnstrdup(*at, len);
	*at += len;
	return field;
}

List *
pgv_items_parse(const char *text, Size len)
{
	const char *at = text;
	const char *end = text + len;
	List	   *items = NIL;

	while (at < end)
	{
		PgvItem    *item = palloc0(sizeof(PgvItem));

		item->letter = *at++;
		item->name = take_field(&at, end);
		if (item->letter != PGV_ITEM_LIBRARY && item->letter != PGV_ITEM_LASTVAL)
			item->value = take_field(&at, end);
		items = lappend(items, item);
	}
	return items;
}
