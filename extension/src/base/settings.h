/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  Every pgvalet.* setting: its variable and what it means.
 *
 * Writer	The server's own settings machinery, in each process.
 * Readers	Any room.  Idle limits are the exception: sessions obey the copy
 *			in shared memory (idle_policy.h), because an idle backend does
 *			not read the configuration again before its next command.
 * Lifetime	Defined once in the postmaster; children inherit the values.
 *
 * extension/src/base/settings.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_SETTINGS_H
#define PGV_SETTINGS_H

/* Room for pgvalet.agent, with its terminating zero. */
#define PGV_AGENT_NAME_BYTES 128

/* pgvalet.agent: what the agent calls itself, "" on direct connections. */
extern char *pgv_agent;

/* pgvalet.agent_key: what it is known by, "" on direct connections; shown to nobody. */
extern char *pgv_agent_key;

/* pgvalet.agent_pool_mode: session, transaction, statement, or "" if it did not say. */
extern char *pgv_agent_pool_mode;

/* pgvalet.idle_session_timeout: milliseconds, 0 = off. */
extern int	pgv_idle_session_timeout_ms;

/* pgvalet.idle_in_transaction_timeout: milliseconds, 0 = off. */
extern int	pgv_idle_in_transaction_timeout_ms;

/* pgvalet.idle_session_includes_agents: the former ends agent connections too. */
extern bool pgv_idle_session_includes_agents;

/* pgvalet.max_roles, .max_databases, .max_applications: entries kept for each. */
extern int	pgv_max_roles;
extern int	pgv_max_databases;
extern int	pgv_max_applications;

/* pgvalet.max_events: places in the ring of events. */
extern int	pgv_max_events;

/* Defines all settings but those of sessions (session.h).  Called once from _PG_init(), in the postmaster. */
extern void pgv_settings_define(void);

#endif							/* PGV_SETTINGS_H */
