/*-------------------------------------------------------------------------
 *
 * watch.c
 *	  Raises the events that nobody else sees.
 *
 * extension/src/collector/watch.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include <limits.h>
#include <math.h>

#include "base/keep.h"
#include "collector/settings_watch.h"
#include "collector/watch.h"
#include "session/session_pins.h"
#include "stats/backend_slot.h"
#include "stats/event_log.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/* A limit is relieved when this much of the share that is near is not used. */
#define RELIEVED_PART 0.9

/* How soon to look again for pins that began meanwhile, milliseconds. */
#define PINS_AGAIN_MS 10000L

typedef struct PgvWatch
{
	bool		start_is_told;
	bool		limit_is_near;	/* told, and not yet that it is relieved */
	PgvKnownSettings settings;
	TimestampTz told_pins[FLEXIBLE_ARRAY_MEMBER];	/* MaxBackends: pinned_since of
													 * the pin told last */
} PgvWatch;

/* pgvalet.limit_near_share: of the connections for ordinary roles, 0 = never. */
static double limit_near_share = 0.8;

/* pgvalet.pin_long: milliseconds, 0 = never. */
static int	pin_long_ms = 60000;

static PgvWatch *watch = NULL;

void
pgv_watch_define_settings(void)
{
	DefineCustomRealVariable("pgvalet.limit_near_share",
							 "Share of the connections for ordinary roles in use that raises the event limit_near.",
							 "That is of max_connections without those that are reserved. 0 turns it off. The event limit_relieved comes when nine tenths of it are in use.",
							 &limit_near_share,
							 0.8, 0.0, 1.0,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("pgvalet.pin_long",
							"How long a session is tied to its backend until the event pin_long is raised.",
							"0 turns it off. Only connections of agents are meant.",
							&pin_long_ms,
							60000, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);
}

static Size
watch_size(void)
{
	return add_size(offsetof(PgvWatch, told_pins), mul_size(MaxBackends, sizeof(TimestampTz)));
}

static void
watch_make(void)
{
	bool		found;

	watch = ShmemInitStruct("pgvalet watch", watch_size(), &found);
	if (!found)
		memset(watch, 0, watch_size());
}

static void *
watch_keep(Size *size)
{
	*size = sizeof(PgvKnownSettings);
	return &watch->settings;
}

static bool
watch_take_over(void *copy, Size size, const PgvKept *kept)
{
	return pgv_settings_watch_take_over(&watch->settings, copy, size);
}

/* Says once that the server has started. */
static void
tell_start(void)
{
	PgvEvent	event = {.kind = PGV_EVENT_SERVER_STARTED};
	const PgvKept *kept = pgv_keep_taken_over();

	if (watch->start_is_told)
		return;
	watch->start_is_told = true;
	if (kept->at == 0)
		pgv_event_add(&event, "counting began");
	else if (kept->after_crash)
		pgv_event_add(&event, "counting began anew after a crash");
	else
		pgv_event_add(&event, "counting began anew after a shutdown");
	pgv_keep_remove_file();
}

/*
 * Says that connections have come near their limit, or are away from it.  A login
 * that gets there wakes us; the end of a session does so anyway.
 */
static void
watch_limit(void)
{
	PgvEvent	event = {0};
	int			most = Max(MaxConnections - pgv_reserved_connections(), 1);
	uint32		near_count = ceil(limit_near_share * most);
	uint32		live_count = pg_atomic_read_u32(&pgv_slots->live_count);
	bool		is_on = limit_near_share > 0;

	if (is_on && !watch->limit_is_near && live_count >= near_count)
	{
		watch->limit_is_near = true;
		event.kind = PGV_EVENT_LIMIT_NEAR;
		pgv_event_add(&event, "%u of %d connections are in use (%.0f %%; besides, %d reserved)",
					  live_count, most, 100.0 * live_count / most, pgv_reserved_connections());
	}
	else if (watch->limit_is_near && (!is_on || live_count <= near_count * RELIEVED_PART))
	{
		watch->limit_is_near = false;
		event.kind = PGV_EVENT_LIMIT_RELIEVED;
		pgv_event_add(&event, "%u of %d connections are in use (%.0f %%)",
					  live_count, most, 100.0 * live_count / most);
	}
	pg_atomic_write_u32(&pgv_slots->wake_count,
						is_on && !watch->limit_is_near ? near_count : PG_UINT32_MAX);
}

/* Says that a session is tied to its backend for long. */
static void
tell_pin(const PgvBackendSlot *slot, TimestampTz now)
{
	PgvEvent	event = {.kind = PGV_EVENT_PIN_LONG};
	char		reasons[128] = "";

	for (int i = 0; i < PGV_PIN_COUNT; i++)
	{
		if ((slot->pin_reasons & (UINT32_C(1) << i)) == 0)
			continue;
		if (reasons[0] != '\0')
			strlcat(reasons, ", ", sizeof(reasons));
		strlcat(reasons, pgv_pin_names[i], sizeof(reasons));
	}
	pgv_event_describe(&event, slot);
	pgv_event_add(&event, "the session of agent \"%s\" is tied to its backend for " INT64_FORMAT
				  " s: %s", slot->agent_name, (now - slot->pinned_since) / USECS_PER_SEC, reasons);
}

/* Tells of long pins, each once; returns as PgvPart.upkeep. */
static long
watch_pins(TimestampTz now)
{
	int64		soonest_ms = PINS_AGAIN_MS;
	PgvBackendSlot slot;

	if (pin_long_ms == 0)
		return PGV_NO_UPKEEP;
	for (int i = 0; i < MaxBackends; i++)
	{
		int64		left_ms;

		if (pgv_slots->slots[i].slot.pin_reasons == 0 || !pgv_slot_copy(i, &slot) ||
			slot.phase != PGV_SLOT_LIVE || slot.pin_reasons == 0 ||
			slot.pinned_since == watch->told_pins[i])
			continue;
		left_ms = (slot.pinned_since - now + 999) / 1000 + pin_long_ms;
		if (left_ms > 0)
		{
			soonest_ms = Min(soonest_ms, left_ms);
			continue;
		}
		watch->told_pins[i] = slot.pinned_since;
		tell_pin(&slot, now);
	}
	return soonest_ms;
}

static long
watch_upkeep(TimestampTz now)
{
	tell_start();
	pgv_settings_watch_upkeep(&watch->settings);
	watch_limit();
	return watch_pins(now);
}

const PgvPart pgv_watch_part = {
	.name = "watch",
	.size = watch_size,
	.make = watch_make,
	.upkeep = watch_upkeep,
	.keep = watch_keep,
	.take_over = watch_take_over,
};
