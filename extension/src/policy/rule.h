/*-------------------------------------------------------------------------
 *
 * rule.h
 *	  What a rule of the idle policy and a connection budget say.
 *
 * Plain data without pointers: the database worker makes it from the tables, it
 * lies in shared memory (policy_table.h), and everybody copies it from there.
 * Bytes that mean nothing are 0, so two are equal if their bytes are.
 *
 * Roles and databases are kept by name: one that is created, renamed or dropped
 * is found, or not found any more, without reading the tables again.
 *
 * extension/src/policy/rule.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_RULE_H
#define PGV_RULE_H

#include "postgres.h"

/* Rows that can be in force; sql/parts/60 and 61 say the same. */
#define PGV_MAX_RULES 64
#define PGV_MAX_BUDGETS 256

/* Names in spares_roles and reserved_for. */
#define PGV_MAX_NAMES 8

/* Room for application_pattern, with its terminating zero. */
#define PGV_PATTERN_BYTES 128

/* What a session must be in for a rule; names in pgv_rule_state_names. */
typedef enum PgvRuleState
{
	PGV_RULE_IDLE,				/* waits outside a transaction */
	PGV_RULE_IDLE_IN_TRANSACTION,	/* waits inside one, failed or not */
	PGV_RULE_IDLE_IN_FAILED_TRANSACTION,	/* waits inside a failed one */
	PGV_RULE_ACTIVE,			/* works on a statement */
	PGV_RULE_SESSION_AGE		/* is connected */
} PgvRuleState;

#define PGV_RULE_STATES (PGV_RULE_SESSION_AGE + 1)

extern const char *const pgv_rule_state_names[PGV_RULE_STATES];

/* What a rule does; names in pgv_action_names. */
typedef enum PgvAction
{
	PGV_ACTION_LOG,				/* a line in the server log */
	PGV_ACTION_WARN,			/* the same, and the client is told with its next answer */
	PGV_ACTION_CANCEL,			/* the statement is cancelled */
	PGV_ACTION_END				/* the session is ended */
} PgvAction;

#define PGV_ACTIONS (PGV_ACTION_END + 1)

extern const char *const pgv_action_names[PGV_ACTIONS];

/* A condition that may hold, not hold, or not be asked for. */
typedef enum PgvWanted
{
	PGV_WANTED_ANY,
	PGV_WANTED_YES,
	PGV_WANTED_NO
} PgvWanted;

typedef struct PgvNames
{
	int32		count;
	char		names[PGV_MAX_NAMES][NAMEDATALEN];
} PgvNames;

/* Which sessions: what rules and budgets have in common. */
typedef struct PgvMatch
{
	bool		includes_members;	/* members of the role too */
	bool		has_pattern;	/* application_pattern is asked for */
	char		role_name[NAMEDATALEN]; /* "" = any */
	char		database_name[NAMEDATALEN]; /* "" = any */
	char		application_pattern[PGV_PATTERN_BYTES]; /* as for LIKE */
} PgvMatch;

typedef struct PgvRule
{
	int64		serial;			/* number given to its name when it came into force */
	char		name[NAMEDATALEN];
	bool		is_setting;		/* not in the table: one of the two timeouts */
	bool		is_dry_run;
	int32		state;			/* PgvRuleState */

	PgvMatch	match;
	int32		is_agent;		/* PgvWanted: opened by an agent */
	int32		is_local;		/* PgvWanted: by a Unix-domain socket */
	int32		network_family; /* AF_INET, AF_INET6; 0 = any client */
	int32		network_bits;	/* of network_address that are compared */
	uint8		network_address[16];	/* in network byte order */
	double		min_used_share; /* holds only above this share; < 0 = always */

	int64		after_us[PGV_ACTIONS];	/* microseconds, 0 = never */

	bool		spares_superusers;
	bool		spares_advisory_locks;
	bool		spares_listeners;
	PgvNames	spares_roles;	/* and their members */
} PgvRule;

typedef struct PgvBudget
{
	int64		serial;			/* as of a rule */
	char		name[NAMEDATALEN];
	bool		is_dry_run;
	int32		max_connections;	/* limit, connections */
	int32		reserved_connections;	/* the last of them, for ... */
	PgvNames	reserved_for;	/* ... these roles and their members */
	PgvMatch	match;
} PgvBudget;

#endif							/* PGV_RULE_H */
