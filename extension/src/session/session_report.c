/*-------------------------------------------------------------------------
 *
 * session_report.c
 *	  Tells the agent, ahead of ReadyForQuery, what the session carries.
 *
 * extension/src/session/session_report.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/xact.h"
#include "stats/backend_slot.h"
#include "session/catalog_changes.h"
#include "session/session.h"
#include "session/session_items.h"
#include "session/session_sequences.h"
#include "session/session_settings.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "base/version.h"

/* Bytes of a report in one message: libpq refuses longer parameters than 30,000. */
#define PART_BYTES 16000

/* The state that the agent knows of, NULL before the first report. */
static char *known_state = NULL;

/* Locks and cursors at the last report. */
static long known_fingerprint = 0;

/* Work memory, reset after each report. */
static MemoryContext report_context = NULL;

/* Did the last report list pins or channels?  Then an empty one is news too. */
static bool was_tied = false;

/* Changes of the catalog: of all that were looked at, and of what they were when we began. */
static uint32 known_changes = 0;
static uint32 first_defaults = 0;
static uint32 known_relations = 0;

/* It was said that new sessions begin with other settings. */
static bool outdated_is_said = false;

/* Something is there that may be news.  A few instructions in the common case. */
static inline bool
is_news(void)
{
	return unlikely(known_state == NULL) ||
		unlikely(pgv_session_settings_changed) || unlikely(pgv_session_statements_changed) ||
		unlikely(pgv_session_channels_changed) || unlikely(pgv_pins_temporary_changed) ||
		unlikely(pgv_session_events.statements_gone) || unlikely(pgv_session_events.notified) ||
		unlikely(pgv_session_events.sequences_used) ||
		unlikely(pgv_pins_fingerprint() != known_fingerprint) ||
		unlikely(pgv_sequences_touched()) || unlikely(pgv_settings_grown()) ||
		unlikely(pgv_catalog_changes_all() != known_changes) ||
		unlikely(pgv_settings_are_stale() && !outdated_is_said);
}

/* Shows the pins in the slot. */
static void
show(const PgvPins *pins, int channels, int settings, int statements)
{
	PgvBackendSlot *slot = pgv_my_slot;
	uint32		mask = 0;
	int64		objects = channels;
	TimestampTz since;

	for (int i = 0; i < PGV_PIN_LISTEN; i++)
	{
		objects += pins->objects[i];
		if (pins->objects[i] > 0)
			mask |= UINT32_C(1) << i;
	}
	if (channels > 0)
		mask |= UINT32_C(1) << PGV_PIN_LISTEN;
	since = mask == 0 ? 0 : (slot->pin_reasons != 0 ? slot->pinned_since : GetCurrentTimestamp());
	pgv_slot_begin_write(slot);
	slot->pin_reasons = mask;
	slot->pinned_objects = objects;
	slot->pinned_since = since;
	slot->moved_settings = settings;
	slot->moved_statements = statements;
	pgv_slot_end_write(slot);
}

static void
append_pins(StringInfo report, const PgvPins *pins)
{
	for (int i = 0; i < PGV_PIN_LISTEN; i++)
	{
		if (pins->objects[i] == 0)
			continue;
		pgv_items_append(report, PGV_ITEM_PIN);
		pgv_items_append_text(report, pgv_pin_names[i]);
		pgv_items_append_text(report, psprintf(INT64_FORMAT, pins->objects[i]));
	}
}

static void
append_events(StringInfo report)
{
	StringInfoData sequences;

	appendBinaryStringInfo(report, pgv_session_events.unlistened.data,
						   pgv_session_events.unlistened.len);
	initStringInfo(&sequences);
	if (pgv_session_events.sequences_gone)
	{
		pgv_items_append(report, PGV_ITEM_SEQUENCES);
		pgv_items_append_text(report, "");
	}
	if (pgv_sequences_touched())
		pgv_sequences_take(&sequences);
	if (sequences.len > 0)
	{
		pgv_items_append(report, PGV_ITEM_SEQUENCES);
		pgv_items_append_field(report, sequences.data, (Size) sequences.len);
	}
	if (pgv_session_events.sequences_used)
		pgv_items_append(report, PGV_ITEM_SEQUENCES_USED);
	if (pgv_session_events.statements_gone)
		pgv_items_append(report, PGV_ITEM_STATEMENTS_GONE);
	if (pgv_session_events.notified)
		pgv_items_append(report, PGV_ITEM_NOTIFIED);
}

/* What has changed around the session. */
static void
append_changes(StringInfo report, bool first)
{
	uint32		changes = pgv_catalog_changes_all();
	uint32		defaults = pgv_catalog_changes_defaults(MyDatabaseId, GetAuthenticatedUserId());
	uint32		relations = pgv_catalog_changes_relations(MyDatabaseId);

	if (first)
		first_defaults = defaults;
	/* Settings were read during login: what has changed since is too late for them. */
	if (first && pgv_catalog_changes_all_defaults() != pgv_session_defaults_at_login)
		first_defaults--;
	if (!outdated_is_said && (defaults != first_defaults || pgv_settings_are_stale()))
	{
		pgv_items_append(report, PGV_ITEM_OUTDATED);
		pgv_items_append_text(report, psprintf("%u", defaults != first_defaults ? defaults : 0));
		outdated_is_said = true;
	}
	if (relations != known_relations)
	{
		pgv_items_append(report, PGV_ITEM_RELATIONS);
		pgv_items_append_text(report, psprintf("%u", relations));
	}
	known_changes = changes;
	known_relations = relations;
}

/* Everything is said. */
static void
forget_news(void)
{
	pgv_session_settings_changed = pgv_session_statements_changed = false;
	pgv_session_channels_changed = false;
	pgv_session_events.statements_gone = pgv_session_events.notified = false;
	pgv_session_events.sequences_used = pgv_session_events.sequences_gone = false;
	resetStringInfo(&pgv_session_events.unlistened);
	known_fingerprint = pgv_pins_fingerprint();
}

static void
remember_state(const char *state, Size len)
{
	if (known_state != NULL)
		pfree(known_state);
	known_state = MemoryContextAlloc(TopMemoryContext, len + 1);
	memcpy(known_state, state, len);
	known_state[len] = '\0';
}

void
pgv_session_note_restored(const char *state, Size len)
{
	remember_state(state, len);
}

/* Puts the whole report together; false if it says nothing. */
static bool
compose(StringInfo report)
{
	StringInfoData state;
	PgvPins		pins;
	int			settings;
	int			statements;
	int			channels;
	bool		first = known_state == NULL;
	int			without_pins;

	if (pgv_settings_grown())
		pgv_settings_mark();
	initStringInfo(&state);
	pgv_session_describe(&state, &settings, &statements);
	pgv_pins_count(&pins);
	if (state.len > PGV_STATE_MOST_BYTES)
		pins.objects[PGV_PIN_STATE_TOO_LARGE] = 1;

	if (first)
	{
		pgv_items_append(report, PGV_ITEM_VERSION);
		pgv_items_append_text(report, PGV_VERSION);
	}
	if (first || strcmp(state.data, known_state) != 0)
	{
		remember_state(state.data, (Size) state.len);
		if (pins.objects[PGV_PIN_STATE_TOO_LARGE] == 0)
		{
			pgv_items_append(report, PGV_ITEM_STATE);
			pgv_items_append_field(report, state.data, (Size) state.len);
		}
	}
	append_events(report);
	append_changes(report, first);
	without_pins = report->len;
	append_pins(report, &pins);
	channels = pgv_channels_append(report);
	show(&pins, channels, settings, statements);
	/* Pins alone are news only when they change; that they may have is why we are here. */
	if (report->len == without_pins && without_pins == 0)
		return was_tied;
	return true;
}

/* One part: the parameter's name, a mark whether more follows, bytes. */
static void
send_part(int (*send) (char type, const char *body, size_t len), const char *bytes, int len,
		  bool more)
{
	StringInfoData body;

	initStringInfo(&body);
	appendBinaryStringInfo(&body, PGV_SESSION_PARAMETER, sizeof(PGV_SESSION_PARAMETER));
	appendStringInfoChar(&body, more ? '+' : '.');
	appendBinaryStringInfo(&body, bytes, len);
	(void) send('S', body.data, (size_t) body.len + 1);	/* with its closing zero */
	pfree(body.data);
}

static void
send_report(int (*send) (char type, const char *body, size_t len), StringInfo report)
{
	int			at = 0;

	while (report->len - at > PART_BYTES)
	{
		send_part(send, report->data + at, PART_BYTES, true);
		at += PART_BYTES;
	}
	send_part(send, report->data + at, report->len - at, false);
}

/* What could not be found out pins the session. */
static void
compose_unknown(StringInfo report)
{
	resetStringInfo(report);
	if (known_state == NULL)
	{
		pgv_items_append(report, PGV_ITEM_VERSION);
		pgv_items_append_text(report, PGV_VERSION);
		remember_state("", 0);
	}
	pgv_items_append(report, PGV_ITEM_PIN);
	pgv_items_append_text(report, pgv_pin_names[PGV_PIN_UNKNOWN]);
	pgv_items_append_text(report, "1");
}

static pg_noinline void
report_news(int (*send) (char type, const char *body, size_t len))
{
	MemoryContext old;
	volatile bool worth_it = true;
	StringInfoData report;

	if (report_context == NULL)
		report_context = AllocSetContextCreate(TopMemoryContext, "pgvalet session report",
											   ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(report_context);
	initStringInfo(&report);
	PG_TRY();
	{
		worth_it = compose(&report);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(report_context);
		FlushErrorState();
		compose_unknown(&report);
	}
	PG_END_TRY();
	if (worth_it)
		send_report(send, &report);
	was_tied = pgv_my_slot->pin_reasons != 0;
	forget_news();
	MemoryContextSwitchTo(old);
	MemoryContextReset(report_context);
}

void
pgv_session_report(int (*send) (char type, const char *body, size_t len))
{
	if (is_news())
		report_news(send);
	pgv_session_objects_changed = false;
	pgv_sequences_are_fresh = false;
}

/* ---- of an open transaction ---- */

static void
send_open(int (*send) (char type, const char *body, size_t len), char letter, const char *name)
{
	StringInfoData body;

	initStringInfo(&body);
	appendBinaryStringInfo(&body, PGV_TRANSACTION_PARAMETER, sizeof(PGV_TRANSACTION_PARAMETER));
	pgv_items_append(&body, letter);
	if (name != NULL)
		pgv_items_append_text(&body, name);
	(void) send('S', body.data, (size_t) body.len + 1); /* with its closing zero */
	pfree(body.data);
}

bool
pgv_session_parameter_changed(const char *name,
							  int (*send) (char type, const char *body, size_t len))
{
	pgv_session_settings_changed = true;
	if (pgv_settings_client_knows(name))
		return true;
	/* Longer names are of nobody's but the application's: no text depends on them. */
	if (TransactionBlockStatusCode() != 'I' && strlen(name) < NAMEDATALEN)
		send_open(send, PGV_ITEM_OPEN_SETTING, name);
	return false;
}

void
pgv_session_report_open(int (*send) (char type, const char *body, size_t len))
{
	if (unlikely(pgv_session_objects_changed))
		send_open(send, PGV_ITEM_OPEN_OBJECTS, NULL);
	/* Whatever becomes of the transaction. */
	if (unlikely(pgv_session_events.statements_gone))
		send_open(send, PGV_ITEM_STATEMENTS_GONE, NULL);
	pgv_session_objects_changed = pgv_session_events.statements_gone = false;
}
