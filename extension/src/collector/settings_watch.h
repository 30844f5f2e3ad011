/*-------------------------------------------------------------------------
 *
 * settings_watch.h
 *	  Notices that settings have other values than before, and says so in events.
 *
 * Watched are the settings of pgvalet that no session can change, and those of
 * the server that decide who may connect, for how long, and with which memory.
 *
 * Plain data in the shared memory of watch.h.
 *
 * extension/src/collector/settings_watch.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_SETTINGS_WATCH_H
#define PGV_SETTINGS_WATCH_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* Settings there is room for; further ones are not watched. */
#define PGV_WATCHED_SETTINGS 96

typedef struct PgvKnownSetting
{
	char		name[NAMEDATALEN];
	char		value[192];		/* as SHOW says it, cut off */
} PgvKnownSetting;

typedef struct PgvKnownSettings
{
	TimestampTz reload_time;	/* of the configuration that was looked at, 0 = none */
	int32		count;			/* settings known from then or an earlier life */
	PgvKnownSetting settings[PGV_WATCHED_SETTINGS];
} PgvKnownSettings;

/*
 * Compares the settings of this process with those known, if the configuration
 * was read since, and raises an event for each that differs.
 */
extern void pgv_settings_watch_upkeep(PgvKnownSettings *known);

/* As PgvPart.take_over. */
extern bool pgv_settings_watch_take_over(PgvKnownSettings *known, void *copy, Size size);

#endif							/* PGV_SETTINGS_WATCH_H */
