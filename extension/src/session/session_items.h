/*-------------------------------------------------------------------------
 *
 * session_items.h
 *	  The form in which backend and agent tell each other about a session.
 *
 * Items of a letter and fields; a field is its length in decimal digits, a
 * colon, and its bytes.  docs/decisions/0200-session-report.md has the letters.
 *
 * extension/src/session/session_items.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_SESSION_ITEMS_H
#define PGV_SESSION_ITEMS_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

/* Of a state. */
#define PGV_ITEM_STARTUP_SETTING 'c'
#define PGV_ITEM_SESSION_SETTING 's'
#define PGV_ITEM_LIBRARY 'b'
#define PGV_ITEM_STATEMENT 'P'
/* Of a report. */
#define PGV_ITEM_VERSION 'v'
#define PGV_ITEM_STATE 'm'
#define PGV_ITEM_PIN 'p'
#define PGV_ITEM_CHANNEL 'l'
#define PGV_ITEM_UNLISTENED 'x'
#define PGV_ITEM_SEQUENCES 'q'
#define PGV_ITEM_SEQUENCES_USED 'u'
#define PGV_ITEM_STATEMENTS_GONE 'd'
#define PGV_ITEM_NOTIFIED 'n'
#define PGV_ITEM_OUTDATED 'o'
#define PGV_ITEM_RELATIONS 't'
/* Of an open transaction. */
#define PGV_ITEM_OPEN_SETTING 's'
#define PGV_ITEM_OPEN_OBJECTS 'k'
/* Of a sequence state. */
#define PGV_ITEM_LASTVAL 'L'
#define PGV_ITEM_CURRVAL 'Q'

/* One item of a state, its strings palloc'd and zero-terminated. */
typedef struct PgvItem
{
	char		letter;
	char	   *name;
	char	   *value;			/* NULL for a library */
} PgvItem;

extern void pgv_items_append(StringInfo out, char letter);
extern void pgv_items_append_field(StringInfo out, const char *bytes, Size len);
extern void pgv_items_append_text(StringInfo out, const char *text);

/*
 * Takes apart a state or a sequence state: a list of PgvItem in the current
 * memory context.  Raises an error if it does not have the form.
 */
extern List *pgv_items_parse(const char *text, Size len);

#endif							/* PGV_SESSION_ITEMS_H */
