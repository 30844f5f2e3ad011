/*-------------------------------------------------------------------------
 *
 * policy_settings.h
 *	  Settings of the idle policy and of the connection budgets, but for those
 *	  two timeouts that are rules by themselves (base/settings.h).
 *
 * All take effect at a reload.  A backend that waits for its client reads the
 * configuration only with its next command, so what a waiting session must obey
 * is taken from the collector, never from its own copy.
 *
 * extension/src/policy/policy_settings.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_POLICY_SETTINGS_H
#define PGV_POLICY_SETTINGS_H

/* Room for pgvalet.policy_contact, with its terminating zero. */
#define PGV_CONTACT_BYTES 128

/* pgvalet.idle_policy_dry_run: no rule of the table does anything. */
extern bool pgv_policy_dry_run;

/* pgvalet.policy_contact: a sentence that says whom to ask, "" = none. */
extern char *pgv_policy_contact;

/* pgvalet.database: where the tables are whose rows are in force. */
extern char *pgv_policy_database;

/* pgvalet.notify_events: new events are told on the channel pgvalet_events. */
extern bool pgv_notify_events;

/* Defines them.  Called once from _PG_init(), in the postmaster. */
extern void pgv_policy_define_settings(void);

#endif							/* PGV_POLICY_SETTINGS_H */
