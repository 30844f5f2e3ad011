/*-------------------------------------------------------------------------
 *
 * logins.c
 *	  Who came in, and who was refused.
 *
 * extension/src/stats/logins.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include <signal.h>

#include "base/plain_text.h"
#include "base/wake.h"
#include "common/hashfn.h"
#include "libpq/pqsignal.h"
#include "stats/event_log.h"
#include "stats/logins.h"
#include "stats/minute.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/* A source may be in so many places: those of one row of the table. */
#define ROW_PLACES 8

typedef struct PgvLogins
{
	pg_atomic_uint64 login_count;
	pg_atomic_uint64 login_us;
	pg_atomic_uint64 longest_login_us;
	pg_atomic_uint64 refused_counts[PGV_REFUSALS];
	PgvLoginCounts reset;		/* what there was at the last reset */

	pg_atomic_uint64 next_event_at; /* when an event is due; TimestampTz, or NO_EVENT */
	slock_t		mutex;			/* for the sources */
	PgvLoginSource sources[FLEXIBLE_ARRAY_MEMBER];	/* source_places() */
} PgvLogins;

#define NO_EVENT PG_UINT64_MAX

/* pgvalet.max_login_sources: places in the table. */
static int	max_login_sources = 512;

static PgvLogins *logins = NULL;

const char *const pgv_refusal_names[PGV_REFUSALS] = {
	[PGV_REFUSED_PASSWORD] = "password",
	[PGV_REFUSED_BY_RULE] = "rejected",
	[PGV_REFUSED_DATABASE] = "no_database",
	[PGV_REFUSED_PRIVILEGE] = "no_privilege",
	[PGV_REFUSED_TOO_MANY] = "too_many_connections",
	[PGV_REFUSED_BUDGET] = "budget",
	[PGV_REFUSED_NOT_READY] = "not_ready",
	[PGV_REFUSED_TIMEOUT] = "timeout",
	[PGV_REFUSED_PROTOCOL] = "protocol",
	[PGV_REFUSED_CLIENT_LEFT] = "client_left",
	[PGV_REFUSED_OTHER] = "other",
};

void
pgv_logins_define_settings(void)
{
	DefineCustomIntVariable("pgvalet.max_login_sources",
							"Number of rows in pgvalet.login_failures.",
							"A client address and reason beyond it takes the place of an old one.",
							&max_login_sources,
							512, 64, 65536,
							PGC_POSTMASTER, 0,
							NULL, NULL, NULL);
}

/* Whole rows. */
static int
source_places(void)
{
	return max_login_sources / ROW_PLACES * ROW_PLACES;
}

static Size
logins_size(void)
{
	return add_size(offsetof(PgvLogins, sources),
					mul_size(source_places(), sizeof(PgvLoginSource)));
}

static void
logins_make(void)
{
	bool		found;

	logins = ShmemInitStruct("pgvalet logins", logins_size(), &found);
	if (found)
		return;
	memset(logins, 0, logins_size());
	pg_atomic_init_u64(&logins->login_count, 0);
	pg_atomic_init_u64(&logins->login_us, 0);
	pg_atomic_init_u64(&logins->longest_login_us, 0);
	for (int i = 0; i < PGV_REFUSALS; i++)
		pg_atomic_init_u64(&logins->refused_counts[i], 0);
	logins->reset.since = GetCurrentTimestamp();
	pg_atomic_init_u64(&logins->next_event_at, NO_EVENT);
	SpinLockInit(&logins->mutex);
}

/*
 * Around the spinlock no signal may come: before its login is done, SIGTERM makes
 * a backend exit at once, and nobody would release it.
 */
static void
lock_sources(sigset_t *old)
{
	sigprocmask(SIG_SETMASK, &BlockSig, old);
	SpinLockAcquire(&logins->mutex);
}

static void
unlock_sources(const sigset_t *old)
{
	SpinLockRelease(&logins->mutex);
	sigprocmask(SIG_SETMASK, old, NULL);
}

void
pgv_logins_count(int64 login_us)
{
	uint64		longest = pg_atomic_read_u64(&logins->longest_login_us);

	pg_atomic_fetch_add_u64(&logins->login_count, 1);
	pg_atomic_fetch_add_u64(&logins->login_us, login_us);
	while ((uint64) login_us > longest &&
		   !pg_atomic_compare_exchange_u64(&logins->longest_login_us, &longest, login_us))
		;
}

/*
 * The place of a source: the one it has, an empty one, or that of the source
 * which was refused longest ago.
 *
 * REQUIRES: the sources are locked.
 */
static PgvLoginSource *
place_of(PgvRefusal reason, const char *client_addr, uint32 hash)
{
	PgvLoginSource *row = &logins->sources[hash % (source_places() / ROW_PLACES) * ROW_PLACES];
	PgvLoginSource *oldest = row;

	for (int i = 0; i < ROW_PLACES; i++)
	{
		if (row[i].count > 0 && row[i].reason == (int32) reason &&
			strcmp(row[i].client_addr, client_addr) == 0)
			return &row[i];
		/* Empty places are older than all others. */
		if (row[i].last_at < oldest->last_at)
			oldest = &row[i];
	}
	return oldest;
}

/* Puts a refusal into the table.  Returns when an event about it is due. */
static TimestampTz
note_source(const PgvLoginSource *source)
{
	uint32		hash = hash_bytes((const unsigned char *) source->client_addr,
								  strlen(source->client_addr)) + source->reason;
	PgvLoginSource *place;
	TimestampTz due;
	sigset_t	old;

	lock_sources(&old);
	place = place_of(source->reason, source->client_addr, hash);
	if (place->count == 0 || place->reason != source->reason ||
		strcmp(place->client_addr, source->client_addr) != 0)
		*place = *source;
	else
	{
		place->count++;
		place->last_sqlerrcode = source->last_sqlerrcode;
		place->last_at = source->last_at;
		memcpy(place->last_role, source->last_role, sizeof(place->last_role));
		memcpy(place->last_database, source->last_database, sizeof(place->last_database));
		memcpy(place->last_application, source->last_application, sizeof(place->last_application));
	}
	place->unreported_count++;
	due = Max(place->reported_at + place->report_interval_us, source->last_at);
	unlock_sources(&old);
	return due;
}

/*
 * Makes the collector come back when an event is due.  Who finds that it is going
 * to come early enough leaves it alone: passwords are tried thousands of times.
 */
static void
ask_for_event(TimestampTz due)
{
	uint64		next = pg_atomic_read_u64(&logins->next_event_at);

	while ((uint64) due < next)
	{
		if (pg_atomic_compare_exchange_u64(&logins->next_event_at, &next, due))
		{
			pgv_wake_collector();
			return;
		}
	}
}

/*
 * Whether a refusal is worth an event: those of budgets have one of their own,
 * and a program that comes back with a password when asked for it is none.
 */
static bool
is_for_events(PgvRefusal reason)
{
	return reason != PGV_REFUSED_BUDGET && reason != PGV_REFUSED_CLIENT_LEFT;
}

void
pgv_logins_refuse(PgvRefusal reason, int sqlerrcode, const char *client_addr,
				  const char *role, const char *database, const char *application)
{
	PgvLoginSource source = {.reason = reason, .last_sqlerrcode = sqlerrcode, .count = 1};
	TimestampTz due;

	pg_atomic_fetch_add_u64(&logins->refused_counts[reason], 1);
	source.first_at = source.last_at = GetCurrentTimestamp();
	strlcpy(source.client_addr, client_addr, sizeof(source.client_addr));
	pgv_plain_text_copy(source.last_role, role, sizeof(source.last_role));
	pgv_plain_text_copy(source.last_database, database, sizeof(source.last_database));
	pgv_plain_text_copy(source.last_application, application, sizeof(source.last_application));
	due = note_source(&source);
	if (is_for_events(reason))
		ask_for_event(due);
}

PgvLoginCounts
pgv_logins_read(bool whole)
{
	PgvLoginCounts counts = {0};

	counts.since = whole ? pgv_slots->started_at : logins->reset.since;
	counts.login_count = pg_atomic_read_u64(&logins->login_count);
	counts.login_us = pg_atomic_read_u64(&logins->login_us);
	counts.longest_login_us = pg_atomic_read_u64(&logins->longest_login_us);
	for (int i = 0; i < PGV_REFUSALS; i++)
		counts.refused_counts[i] = pg_atomic_read_u64(&logins->refused_counts[i]);
	if (whole)
		return counts;

	counts.login_count -= logins->reset.login_count;
	counts.login_us -= logins->reset.login_us;
	for (int i = 0; i < PGV_REFUSALS; i++)
		counts.refused_counts[i] -= logins->reset.refused_counts[i];
	return counts;
}

PgvLoginSource *
pgv_logins_read_sources(int *count)
{
	PgvLoginSource *copy = palloc(source_places() * sizeof(PgvLoginSource));

	*count = 0;
	for (int i = 0; i < source_places(); i++)
	{
		sigset_t	old;

		lock_sources(&old);
		copy[*count] = logins->sources[i];
		unlock_sources(&old);
		if (copy[*count].count > 0)
			(*count)++;
	}
	return copy;
}

static void
logins_count(int64 *used, int64 *limit)
{
	*used = 0;
	*limit = source_places();
	for (int i = 0; i < source_places(); i++)
		*used += (logins->sources[i].count > 0);
}

static void
logins_reset(void)
{
	PgvLoginCounts now = pgv_logins_read(true);

	for (int i = 0; i < source_places(); i++)
	{
		sigset_t	old;

		lock_sources(&old);
		memset(&logins->sources[i], 0, sizeof(PgvLoginSource));
		unlock_sources(&old);
	}
	pg_atomic_write_u64(&logins->longest_login_us, 0);
	now.since = GetCurrentTimestamp();
	logins->reset = now;
}

/* A name, or what to say if the client did not come so far as to give it. */
static const char *
or_unknown(const char *name)
{
	return name[0] == '\0' ? "(unknown)" : name;
}

/* Raises the event of a source that is due. */
static void
report(const PgvLoginSource *source)
{
	PgvEvent	event = {.kind = PGV_EVENT_LOGIN_REFUSED};
	char		more[64] = "";

	strlcpy(event.client_addr, source->client_addr, sizeof(event.client_addr));
	strlcpy(event.application_name, source->last_application, sizeof(event.application_name));
	if (source->unreported_count > 1)
		snprintf(more, sizeof(more), "; " INT64_FORMAT " more like it since the last event",
				 source->unreported_count - 1);
	pgv_event_add(&event, "login of role \"%s\" to database \"%s\" refused: %s (SQLSTATE %s)%s",
				  or_unknown(source->last_role), or_unknown(source->last_database),
				  pgv_refusal_names[source->reason],
				  source->last_sqlerrcode == 0 ? "none" : unpack_sql_state(source->last_sqlerrcode),
				  more);
}

static int64
longest_interval_us(void)
{
	return 10 * pgv_minute_us();
}

/*
 * How long a source is silent after an event of now.  One that goes on and on, a
 * program with an old password, is told of less and less often, at last once in
 * ten minutes: it must not push everything else out of the ring of events.
 */
static int64
next_interval_us(const PgvLoginSource *source, TimestampTz now)
{
	if (now - source->reported_at > 2 * source->report_interval_us)
		return pgv_step_us();
	return Min(2 * source->report_interval_us, longest_interval_us());
}

/*
 * Looks at one place: raises its event if it is due.  Returns when it is, or
 * DT_NOEND.
 */
static TimestampTz
look_at_source(PgvLoginSource *place, TimestampTz now)
{
	PgvLoginSource source;
	TimestampTz due;
	sigset_t	old;

	lock_sources(&old);
	source = *place;
	due = source.reported_at + source.report_interval_us;
	if (source.count == 0 || source.unreported_count == 0 || !is_for_events(source.reason))
		due = DT_NOEND;
	/* A clock that was set back must not stop us. */
	else if (due <= now || source.reported_at > now)
	{
		due = now;
		place->report_interval_us = next_interval_us(&source, now);
		place->reported_at = now;
		place->unreported_count = 0;
	}
	unlock_sources(&old);

	if (due > now)
		return due;
	report(&source);
	return DT_NOEND;
}

/* Raises the events that are due. */
static long
logins_upkeep(TimestampTz now)
{
	TimestampTz soonest = DT_NOEND;
	uint64		next = pg_atomic_read_u64(&logins->next_event_at);

	if (next == NO_EVENT)
		return PGV_NO_UPKEEP;
	if ((TimestampTz) next > now && (TimestampTz) next <= now + longest_interval_us())
		return Min((next - now + 999) / 1000, INT_MAX);

	/* Before we look: whoever comes meanwhile asks again. */
	pg_atomic_write_u64(&logins->next_event_at, NO_EVENT);
	for (int i = 0; i < source_places(); i++)
		soonest = Min(soonest, look_at_source(&logins->sources[i], now));
	if (soonest == DT_NOEND)
		return PGV_NO_UPKEEP;
	ask_for_event(soonest);
	return Min((soonest - now + 999) / 1000, INT_MAX);
}

const PgvPart pgv_logins_part = {
	.name = "logins",
	.size = logins_size,
	.make = logins_make,
	.count = logins_count,
	.reset = logins_reset,
	.upkeep = logins_upkeep,
};
