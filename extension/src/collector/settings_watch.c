/*-------------------------------------------------------------------------
 *
 * settings_watch.c
 *	  Notices that settings have other values than before.
 *
 * extension/src/collector/settings_watch.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/plain_text.h"
#include "collector/settings_watch.h"
#include "stats/event_log.h"
#include "utils/timestamp.h"

/* Of the server; a version that does not have one just has one less. */
static const char *const server_settings[] = {
	"authentication_timeout",
	"client_connection_check_interval",
	"idle_in_transaction_session_timeout",
	"idle_session_timeout",
	"lock_timeout",
	"max_connections",
	"reserved_connections",
	"statement_timeout",
	"superuser_reserved_connections",
	"temp_file_limit",
	"transaction_timeout",
	"work_mem",
};

/*
 * Whether a setting is watched.  To show one that is not for everybody the server
 * looks at our role, for which it would want a transaction.
 */
static bool
is_watched(const struct config_generic *setting)
{
	if ((setting->flags & GUC_SUPERUSER_ONLY) != 0)
		return false;
	if (strncmp(setting->name, "pgvalet.", strlen("pgvalet.")) == 0)
		return setting->context == PGC_POSTMASTER || setting->context == PGC_SIGHUP;
	for (size_t i = 0; i < lengthof(server_settings); i++)
	{
		if (strcmp(setting->name, server_settings[i]) == 0)
			return true;
	}
	return false;
}

/* The setting with this name, if it is known. */
static PgvKnownSetting *
find(PgvKnownSettings *known, const char *name)
{
	for (int i = 0; i < known->count; i++)
	{
		if (strcmp(known->settings[i].name, name) == 0)
			return &known->settings[i];
	}
	return NULL;
}

/* Looks at the value of a setting in this process. */
static void
look_at(PgvKnownSettings *known, const char *name)
{
	PgvKnownSetting *setting = find(known, name);
	char	   *shown = GetConfigOptionByName(name, NULL, true);
	char		value[sizeof(setting->value)];

	if (shown == NULL)
		return;
	pgv_plain_text_copy(value, shown, sizeof(value));
	pfree(shown);
	if (setting == NULL)
	{
		if (known->count >= PGV_WATCHED_SETTINGS)
			return;
		setting = &known->settings[known->count];
		strlcpy(setting->name, name, sizeof(setting->name));
		strlcpy(setting->value, value, sizeof(setting->value));
		known->count++;
	}
	else if (strcmp(setting->value, value) != 0)
	{
		PgvEvent	event = {.kind = PGV_EVENT_SETTINGS_CHANGED};

		pgv_event_add(&event, "%s changed from \"%.80s\" to \"%.80s\"",
					  name, setting->value, value);
		strlcpy(setting->value, value, sizeof(setting->value));
	}
}

void
pgv_settings_watch_upkeep(PgvKnownSettings *known)
{
	struct config_generic **variables;
	int			count;

	if (known->reload_time == PgReloadTime)
		return;
	known->reload_time = PgReloadTime;
	variables = pgv_guc_variables(&count);
	for (int i = 0; i < count; i++)
	{
		if (is_watched(variables[i]))
			look_at(known, variables[i]->name);
	}
	pgv_guc_variables_free(variables);
}

bool
pgv_settings_watch_take_over(PgvKnownSettings *known, void *copy, Size size)
{
	PgvKnownSettings *old = copy;

	if (size < sizeof(PgvKnownSettings) || old->count < 0 || old->count > PGV_WATCHED_SETTINGS)
		return false;
	known->count = old->count;
	for (int i = 0; i < old->count; i++)
	{
		known->settings[i] = old->settings[i];
		pgv_plain_text_mend(known->settings[i].name, sizeof(known->settings[i].name));
		pgv_plain_text_mend(known->settings[i].value, sizeof(known->settings[i].value));
	}
	return true;
}
