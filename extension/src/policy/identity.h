/*-------------------------------------------------------------------------
 *
 * identity.h
 *	  Who a session is in the words of rules and budgets: names of its role, of
 *	  all roles that is a member of, and of its database.
 *
 * They are read from the shared catalogs, which every process with a transaction
 * can read, the collector too, which is connected to no database.
 *
 * extension/src/policy/identity.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_IDENTITY_H
#define PGV_IDENTITY_H

#include "postgres.h"

#include "policy/rule.h"

typedef struct PgvIdentity
{
	bool		is_superuser;
	char		database_name[NAMEDATALEN]; /* "" = it was dropped */
	int			role_count;
	NameData   *role_names;		/* its own first, "" = it was dropped */
} PgvIdentity;

/*
 * Around what reads the catalogs, where there is no transaction: run a short one,
 * and leave the memory context as it is.  The beginning takes over what others
 * have changed.
 */
extern void pgv_catalogs_begin(void);
extern void pgv_catalogs_end(void);

/*
 * Reads who this is, into the current memory context.
 *
 * REQUIRES: a transaction.
 */
extern void pgv_identity_look_up(Oid role_id, Oid database_id, PgvIdentity *identity);

/*
 * Same, but remembers the answer until a role, a membership or a database
 * changes.  The answer is valid until the next call of pgv_identity_refresh().
 *
 * REQUIRES: a transaction.
 */
extern const PgvIdentity *pgv_identity_cached(Oid role_id, Oid database_id);

/*
 * Forgets remembered answers if something has changed.  Returns a number that
 * differs from the one before if so.
 *
 * REQUIRES: a transaction, at whose start the changes of others are taken over.
 */
extern uint32 pgv_identity_refresh(void);

/* Whether it is one of these roles, or a member of one. */
extern bool pgv_identity_is_one_of(const PgvIdentity *identity, const PgvNames *names);

/* Whether role and database are those that are asked for. */
extern bool pgv_identity_matches(const PgvIdentity *identity, const PgvMatch *match);

/* Whether this text is what the pattern describes, as by LIKE in collation C. */
extern bool pgv_pattern_matches(const char *pattern, const char *text);

/* Same for the application of a session, if that is asked for. */
static inline bool
pgv_application_matches(const PgvMatch *match, const char *application_name)
{
	return !match->has_pattern ||
		pgv_pattern_matches(match->application_pattern, application_name);
}

typedef enum PgvDatabaseFound
{
	PGV_DATABASE_MISSING,
	PGV_DATABASE_CLOSED,		/* it allows no connections */
	PGV_DATABASE_OPEN
} PgvDatabaseFound;

/*
 * Whether there is a database of this name.
 *
 * REQUIRES: a transaction.
 */
extern PgvDatabaseFound pgv_database_find(const char *name);

#endif							/* PGV_IDENTITY_H */
