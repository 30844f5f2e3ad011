/*-------------------------------------------------------------------------
 *
 * policy_settings.c
 *	  Settings of the idle policy and of the connection budgets.
 *
 * docs/extension/policy.md has a row for each; change both together.
 *
 * extension/src/policy/policy_settings.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "policy/policy_settings.h"
#include "utils/guc.h"

bool		pgv_policy_dry_run = false;
char	   *pgv_policy_contact = NULL;
char	   *pgv_policy_database = NULL;
bool		pgv_notify_events = false;

/*
 * Check hook of pgvalet.policy_contact: it goes into messages of every database,
 * whatever its encoding.
 */
static bool
check_contact(char **newval, void **extra, GucSource source)
{
	if (strlen(*newval) >= PGV_CONTACT_BYTES)
	{
		GUC_check_errdetail("The text has at most %d bytes.", PGV_CONTACT_BYTES - 1);
		return false;
	}
	for (const char *c = *newval; *c != '\0'; c++)
	{
		if (*c < ' ' || *c > '~')
		{
			GUC_check_errdetail("The text has only printable ASCII characters.");
			return false;
		}
	}
	return true;
}

/* Check hook of pgvalet.database. */
static bool
check_database(char **newval, void **extra, GucSource source)
{
	if (strlen(*newval) >= NAMEDATALEN)
	{
		GUC_check_errdetail("The name of a database has at most %d bytes.", NAMEDATALEN - 1);
		return false;
	}
	return true;
}

void
pgv_policy_define_settings(void)
{
	DefineCustomStringVariable("pgvalet.database",
							   "Database whose pgvalet.idle_policy and pgvalet.connection_budget are in force.",
							   "Their rows hold for the whole server. Empty: no rules and no budgets.",
							   &pgv_policy_database,
							   "postgres",
							   PGC_SIGHUP, 0,
							   check_database, NULL, NULL);

	DefineCustomBoolVariable("pgvalet.idle_policy_dry_run",
							 "Makes every rule of pgvalet.idle_policy only say what it would have done.",
							 "pgvalet.idle_session_timeout and pgvalet.idle_in_transaction_timeout go on to end sessions.",
							 &pgv_policy_dry_run,
							 false,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);

	DefineCustomStringVariable("pgvalet.policy_contact",
							   "Whom to ask about the idle policy and connection budgets.",
							   "A sentence that ends the hint of their messages, for example: Ask dba@example.org.",
							   &pgv_policy_contact,
							   "",
							   PGC_SIGHUP, 0,
							   check_contact, NULL, NULL);

	DefineCustomBoolVariable("pgvalet.notify_events",
							 "Tells new events on the channel pgvalet_events of the database pgvalet.database.",
							 "At most once a second, and not on a standby.",
							 &pgv_notify_events,
							 false,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);
}
