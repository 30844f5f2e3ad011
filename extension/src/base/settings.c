/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  Every pgvalet.* setting: name, unit, bounds, default.
 *
 * docs/extension.md has a row for each; change both together.
 *
 * extension/src/base/settings.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "base/settings.h"
#include "utils/guc.h"

char	   *pgv_agent = NULL;
char	   *pgv_agent_key = NULL;
char	   *pgv_agent_pool_mode = NULL;
int			pgv_idle_session_timeout_ms = 0;
int			pgv_idle_in_transaction_timeout_ms = 0;
bool		pgv_idle_session_includes_agents = false;
int			pgv_max_roles = 500;
int			pgv_max_databases = 200;
int			pgv_max_applications = 500;
int			pgv_max_events = 1000;

/*
 * Check hook of pgvalet.agent: the name fits into a slot and can be shown in a
 * log or a table as it is.
 */
static bool
check_agent(char **newval, void **extra, GucSource source)
{
	if (strlen(*newval) >= PGV_AGENT_NAME_BYTES)
	{
		GUC_check_errdetail("The name of an agent has at most %d bytes.",
							PGV_AGENT_NAME_BYTES - 1);
		return false;
	}
	for (const char *c = *newval; *c != '\0'; c++)
	{
		if (*c < ' ' || *c > '~')
		{
			GUC_check_errdetail("The name of an agent has only printable ASCII characters.");
			return false;
		}
	}
	return true;
}

/* Settings of the idle policy, in force after a reload. */
static void
define_idle_policy(void)
{
	DefineCustomIntVariable("pgvalet.idle_session_timeout",
							"Ends a session that waits this long for a command outside a transaction.",
							"0 turns it off. Sessions cannot change it; it holds next to the server's idle_session_timeout. Agent connections are exempt unless pgvalet.idle_session_includes_agents is on.",
							&pgv_idle_session_timeout_ms,
							0, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomIntVariable("pgvalet.idle_in_transaction_timeout",
							"Ends a session that waits this long for a command inside a transaction.",
							"0 turns it off. Sessions cannot change it; it holds next to the server's idle_in_transaction_session_timeout, and for agent connections too.",
							&pgv_idle_in_transaction_timeout_ms,
							0, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("pgvalet.idle_session_includes_agents",
							 "Makes pgvalet.idle_session_timeout end agent connections too.",
							 "An agent keeps server connections waiting on purpose and closes them by its own settings.",
							 &pgv_idle_session_includes_agents,
							 false,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);
}

/* Sizes of the tables in shared memory, fixed at server start. */
static void
define_sizes(void)
{
	DefineCustomIntVariable("pgvalet.max_roles",
							"Number of roles with a row of their own in pgvalet.usage_by_role.",
							"Roles beyond it share the row (other).",
							&pgv_max_roles,
							500, 1, 100000,
							PGC_POSTMASTER, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("pgvalet.max_databases",
							"Number of databases with a row of their own in pgvalet.usage_by_database.",
							"Databases beyond it share the row (other).",
							&pgv_max_databases,
							200, 1, 100000,
							PGC_POSTMASTER, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("pgvalet.max_applications",
							"Number of names with a row of their own in pgvalet.usage_by_application.",
							"Names beyond it share the row (other).",
							&pgv_max_applications,
							500, 1, 100000,
							PGC_POSTMASTER, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("pgvalet.max_events",
							"Number of events kept in pgvalet.events.",
							"A new event takes the place of the oldest.",
							&pgv_max_events,
							1000, 16, 1000000,
							PGC_POSTMASTER, 0,
							NULL, NULL, NULL);
}

void
pgv_settings_define(void)
{
	DefineCustomStringVariable("pgvalet.agent",
							   "Name of the pgvalet agent that opened this connection.",
							   "Sent by the agent when it connects; empty on direct connections.",
							   &pgv_agent,
							   "",
							   PGC_BACKEND, GUC_NOT_IN_SAMPLE,
							   check_agent, NULL, NULL);
	define_idle_policy();
	define_sizes();
}
