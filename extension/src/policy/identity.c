/*-------------------------------------------------------------------------
 *
 * identity.c
 *	  Who a session is in the words of rules and budgets.
 *
 * extension/src/policy/identity.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "policy/identity.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

/* A remembered answer. */
typedef struct PgvKnown
{
	Oid			key[2];			/* role, database */
	PgvIdentity identity;
} PgvKnown;

/* Answers, and where they live; NULL: there are none. */
static HTAB *known = NULL;
static MemoryContext known_context = NULL;

/* A role, a membership or a database has changed since they were found out. */
static bool is_old = false;

/* How often that happened. */
static uint32 change_count = 0;

/* The context of whoever has begun to read catalogs. */
static MemoryContext readers_context = NULL;

void
pgv_catalogs_begin(void)
{
	readers_context = CurrentMemoryContext;
	StartTransactionCommand();
	MemoryContextSwitchTo(readers_context);
}

void
pgv_catalogs_end(void)
{
	CommitTransactionCommand();
	MemoryContextSwitchTo(readers_context);
}

static void
read_role(Oid role_id, NameData *name, bool *is_superuser)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role_id));

	memset(name, 0, sizeof(*name));
	*is_superuser = false;
	if (!HeapTupleIsValid(tuple))
		return;
	*name = ((Form_pg_authid) GETSTRUCT(tuple))->rolname;
	*is_superuser = ((Form_pg_authid) GETSTRUCT(tuple))->rolsuper;
	ReleaseSysCache(tuple);
}

static void
read_database(Oid database_id, char *name)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database_id));

	name[0] = '\0';
	if (!HeapTupleIsValid(tuple))
		return;
	strlcpy(name, NameStr(((Form_pg_database) GETSTRUCT(tuple))->datname), NAMEDATALEN);
	ReleaseSysCache(tuple);
}

/*
 * The role and all that it is a member of, directly or not, whether it inherits
 * their privileges or not.  The server's own functions for this keep a cache that
 * nobody invalidates in a process without a database.
 */
static List *
memberships(Oid role_id)
{
	List	   *roles = list_make1_oid(role_id);
	ListCell   *cell;

	foreach(cell, roles)
	{
		CatCList   *rows = SearchSysCacheList1(AUTHMEMMEMROLE, ObjectIdGetDatum(lfirst_oid(cell)));

		for (int i = 0; i < rows->n_members; i++)
		{
			HeapTuple	tuple = &rows->members[i]->tuple;

			roles = list_append_unique_oid(roles,
										   ((Form_pg_auth_members) GETSTRUCT(tuple))->roleid);
		}
		ReleaseSysCacheList(rows);
	}
	return roles;
}

void
pgv_identity_look_up(Oid role_id, Oid database_id, PgvIdentity *identity)
{
	List	   *roles = memberships(role_id);
	bool		is_superuser;
	ListCell   *cell;

	read_database(database_id, identity->database_name);
	identity->role_count = 0;
	identity->role_names = palloc(list_length(roles) * sizeof(NameData));
	foreach(cell, roles)
	{
		read_role(lfirst_oid(cell), &identity->role_names[identity->role_count], &is_superuser);
		if (identity->role_count++ == 0)
			identity->is_superuser = is_superuser;
	}
	list_free(roles);
}

/* The server tells of a change of one of the catalogs. */
static void
note_change(Datum arg, int cache_id, uint32 hash)
{
	is_old = true;
}

/* Makes an empty memory. */
static void
forget_all(void)
{
	HASHCTL		info = {0};

	if (known_context == NULL)
	{
		CacheRegisterSyscacheCallback(AUTHMEMMEMROLE, note_change, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHOID, note_change, (Datum) 0);
		CacheRegisterSyscacheCallback(DATABASEOID, note_change, (Datum) 0);
		known_context = AllocSetContextCreate(TopMemoryContext, "pgvalet identities",
											  ALLOCSET_DEFAULT_SIZES);
	}
	MemoryContextReset(known_context);
	info.keysize = sizeof(Oid) * 2;
	info.entrysize = sizeof(PgvKnown);
	info.hcxt = known_context;
	known = hash_create("pgvalet identities", 64, &info, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	change_count++;
	is_old = false;
}

uint32
pgv_identity_refresh(void)
{
	if (is_old || known == NULL)
		forget_all();
	return change_count;
}

const PgvIdentity *
pgv_identity_cached(Oid role_id, Oid database_id)
{
	Oid			key[2] = {role_id, database_id};
	PgvKnown   *entry;
	PgvIdentity identity;
	MemoryContext old;

	if (known == NULL)
		forget_all();
	entry = hash_search(known, key, HASH_FIND, NULL);
	if (entry != NULL)
		return &entry->identity;

	/* An error in here must not leave half an entry. */
	old = MemoryContextSwitchTo(known_context);
	pgv_identity_look_up(role_id, database_id, &identity);
	MemoryContextSwitchTo(old);
	entry = hash_search(known, key, HASH_ENTER, NULL);
	entry->identity = identity;
	return &entry->identity;
}

bool
pgv_identity_is_one_of(const PgvIdentity *identity, const PgvNames *names)
{
	for (int i = 0; i < names->count; i++)
	{
		for (int j = 0; j < identity->role_count; j++)
		{
			if (strcmp(names->names[i], NameStr(identity->role_names[j])) == 0)
				return true;
		}
	}
	return false;
}

bool
pgv_identity_matches(const PgvIdentity *identity, const PgvMatch *match)
{
	int			candidates = match->includes_members ? identity->role_count : 1;

	if (match->database_name[0] != '\0' &&
		strcmp(match->database_name, identity->database_name) != 0)
		return false;
	if (match->role_name[0] == '\0')
		return true;
	for (int i = 0; i < candidates; i++)
	{
		if (strcmp(match->role_name, NameStr(identity->role_names[i])) == 0)
			return true;
	}
	return false;
}

/*
 * Not the server's LIKE: that allocates, and raises an error for a pattern that
 * ends in a backslash, which stands for itself here.
 */
bool
pgv_pattern_matches(const char *pattern, const char *text)
{
	const char *after_percent = NULL;	/* where to go on if it goes wrong */
	const char *tried_at = NULL;

	while (*text != '\0')
	{
		if (*pattern == '%')
		{
			after_percent = ++pattern;
			tried_at = text;
			continue;
		}
		if (*pattern == '_')
		{
			pattern++;
			text++;
			continue;
		}
		if (*pattern != '\0')
		{
			const char *literal = (*pattern == '\\' && pattern[1] != '\0') ? pattern + 1 : pattern;

			if (*literal == *text)
			{
				pattern = literal + 1;
				text++;
				continue;
			}
		}
		if (after_percent == NULL)
			return false;
		pattern = after_percent;
		text = ++tried_at;
	}
	while (*pattern == '%')
		pattern++;
	return *pattern == '\0';
}

PgvDatabaseFound
pgv_database_find(const char *name)
{
	PgvDatabaseFound found = PGV_DATABASE_MISSING;
	Relation	databases = table_open(DatabaseRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_database_datname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(name));
	/* As when a session begins: the index may not be known without a database. */
	scan = systable_beginscan(databases, DatabaseNameIndexId, criticalSharedRelcachesBuilt,
							  NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_database row = (Form_pg_database) GETSTRUCT(tuple);

		/* A limit of -2 marks what a failed DROP DATABASE has left. */
		found = row->datallowconn && row->datconnlimit != -2 ? PGV_DATABASE_OPEN : PGV_DATABASE_CLOSED;
	}
	systable_endscan(scan);
	table_close(databases, AccessShareLock);
	return found;
}
