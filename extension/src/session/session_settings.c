/*-------------------------------------------------------------------------
 *
 * session_settings.c
 *	  Settings that this session has changed, and putting others in their place.
 *
 * extension/src/session/session_settings.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/dynahash_find.h"
#include "miscadmin.h"
#include "session/own_transaction.h"
#include "session/session_items.h"
#include "session/session_settings.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define ROLE "role"
#define SESSION_USER_NAME "session_authorization"

/* Variables that we have marked, by name. */
static HTAB *marked = NULL;

/* Variables there were when we marked last. */
static int	marked_count = 0;

/* Startup settings in force through us, as items. */
static StringInfoData startup_items = {0};

/* The number of variables there are. */
static inline int
count_variables(void)
{
#ifdef PGV_GUC_TABLE
	static HTAB *table = NULL;

	if (unlikely(table == NULL))
		table = pgv_dynahash_find(PGV_GUC_TABLE);
	return table ? (int) hash_get_num_entries(table) : 0;
#else
	return GetNumConfigOptions();
#endif
}

/* What a variable's startup value has replaced. */
typedef struct Baseline
{
	char		name[NAMEDATALEN * 2];	/* key */
	char	   *value;			/* in TopMemoryContext; NULL: none */
	GucSource	source;
} Baseline;

static HTAB *baselines = NULL;

/* When the configuration was read before the first baseline was taken. */
static TimestampTz baselines_since = 0;

/* May a session change it, and does the change outlive the transaction? */
static bool
can_be_changed(const struct config_generic *variable)
{
	if (variable->context != PGC_USERSET && variable->context != PGC_SUSET)
		return false;
	/* The transaction's own, the random seed (see session_pins.c), and ours. */
	return strncmp(variable->name, "transaction_", 12) != 0 &&
		strcmp(variable->name, "seed") != 0 &&
		strncmp(variable->name, "pgvalet.", 8) != 0;
}

static void
remember_mark(const char *name)
{
	if (marked == NULL)
	{
		HASHCTL		info = {0};

		info.keysize = NAMEDATALEN * 2;
		info.entrysize = NAMEDATALEN * 2;
		marked = hash_create("pgvalet marked settings", 512, &info, HASH_ELEM | HASH_STRINGS);
	}
	hash_search(marked, name, HASH_ENTER, NULL);
}

void
pgv_settings_mark(void)
{
	int			count;
	struct config_generic **variables = pgv_guc_variables(&count);

	for (int i = 0; i < count; i++)
	{
		struct config_generic *variable = variables[i];

		if ((variable->flags & GUC_REPORT) != 0 || !can_be_changed(variable))
			continue;
		remember_mark(variable->name);
		variable->flags |= GUC_REPORT;
	}
	marked_count = count_variables();
	pgv_guc_variables_free(variables);
}

bool
pgv_settings_grown(void)
{
	return count_variables() != marked_count;
}

bool
pgv_settings_client_knows(const char *name)
{
	return marked == NULL || hash_search(marked, name, HASH_FIND, NULL) == NULL;
}

/* ---- what is changed ---- */

/* The value as SET takes it back, exactly. */
static const char *
exact_value(const struct config_generic *variable, char *buffer, Size buffer_len)
{
	/* Its variable keeps the role's name also while another user makes it void. */
	if (strcmp(variable->name, ROLE) == 0)
		return GetConfigOptionByName(ROLE, NULL, false);
	if (variable->vartype == PGC_REAL)
	{
		snprintf(buffer, buffer_len, "%.17g", *((const struct config_real *) variable)->variable);
		return buffer;
	}
	return GetConfigOption(variable->name, true, false);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp((*(struct config_generic *const *) a)->name,
				  (*(struct config_generic *const *) b)->name);
}

void
pgv_settings_append(StringInfo out, int *count)
{
	int			all;
	struct config_generic **variables = pgv_guc_variables(&all);
	struct config_generic **changed = palloc(sizeof(*changed) * (Size) all);
	char		buffer[64];

	*count = 0;
	for (int i = 0; i < all; i++)
	{
		if (variables[i]->source == PGC_S_SESSION && can_be_changed(variables[i]))
			changed[(*count)++] = variables[i];
	}
	qsort(changed, (size_t) *count, sizeof(*changed), by_name);
	for (int i = 0; i < *count; i++)
	{
		const char *value = exact_value(changed[i], buffer, sizeof(buffer));

		pgv_items_append(out, PGV_ITEM_SESSION_SETTING);
		pgv_items_append_text(out, changed[i]->name);
		pgv_items_append_text(out, value ? value : "");
	}
	pfree(changed);
	pgv_guc_variables_free(variables);
}

static bool
is_changed_and_privileged(const struct config_generic *variable)
{
	return variable->source == PGC_S_SESSION && variable->context == PGC_SUSET &&
		can_be_changed(variable);
}

/* Those that the user who logged in may not SET.  In a transaction. */
static int64
count_forbidden(void *what)
{
	Oid			user = GetAuthenticatedUserId();
	int			all;
	struct config_generic **variables = pgv_guc_variables(&all);
	int			count = 0;

	for (int i = 0; i < all && !superuser_arg(user); i++)
	{
		if (is_changed_and_privileged(variables[i]) &&
			pg_parameter_aclcheck(variables[i]->name, user, ACL_SET) != ACLCHECK_OK)
			count++;
	}
	pgv_guc_variables_free(variables);
	return count;
}

int
pgv_settings_count_privileged(void)
{
	int			all;
	struct config_generic **variables = pgv_guc_variables(&all);
	bool		is_any = false;

	for (int i = 0; i < all && !is_any; i++)
		is_any = is_changed_and_privileged(variables[i]);
	pgv_guc_variables_free(variables);
	return is_any ? (int) pgv_count_in_transaction(count_forbidden, NULL) : 0;
}

const char *
pgv_settings_startup_items(void)
{
	return startup_items.data ? startup_items.data : "";
}

/* ---- putting others in their place ---- */

static const PgvItem *
find_item(List *items, char letter, const char *name)
{
	ListCell   *cell;

	foreach(cell, items)
	{
		const PgvItem *item = lfirst(cell);

		if (item->letter == letter && pg_strcasecmp(item->name, name) == 0)
			return item;
	}
	return NULL;
}

static struct config_generic *
find_variable(const char *name)
{
	int			count;
	struct config_generic **variables = pgv_guc_variables(&count);
	struct config_generic *found = NULL;

	for (int i = 0; i < count && found == NULL; i++)
	{
		if (pg_strcasecmp(variables[i]->name, name) == 0)
			found = variables[i];
	}
	pgv_guc_variables_free(variables);
	return found;
}

/* As SET, by the user we are now: anybody can ask for a restore. */
static void
set_again(const char *name, const char *value)
{
	(void) set_config_option(name, value, superuser() ? PGC_SUSET : PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SET, true, ERROR, false);
}

/* As RESET ALL, which resets what its user may not SET, too. */
static void
reset(const char *name)
{
	(void) set_config_option(name, NULL, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SET, true, ERROR,
							 false);
}

static bool
is_user(const char *name)
{
	return pg_strcasecmp(name, ROLE) == 0 || pg_strcasecmp(name, SESSION_USER_NAME) == 0;
}

/* Remembers what the startup value of this variable is going to replace. */
static void
keep_baseline(const char *name)
{
	struct config_generic *variable = find_variable(name);
	Baseline   *baseline;
	bool		found;

	if (baselines == NULL)
	{
		HASHCTL		info = {0};

		info.keysize = NAMEDATALEN * 2;
		info.entrysize = sizeof(Baseline);
		baselines = hash_create("pgvalet setting baselines", 16, &info, HASH_ELEM | HASH_STRINGS);
		baselines_since = PgReloadTime;
	}
	baseline = hash_search(baselines, variable ? variable->name : name, HASH_ENTER, &found);
	if (found)
		return;
	baseline->value = NULL;
	baseline->source = PGC_S_DEFAULT;
	if (variable != NULL)
	{
		const char *value = GetConfigOptionResetString(variable->name);

		baseline->source = variable->reset_source;
		baseline->value = value ? MemoryContextStrdup(TopMemoryContext, value) : NULL;
	}
}

bool
pgv_settings_are_stale(void)
{
	return baselines != NULL && baselines_since != PgReloadTime;
}

/* Takes a startup value back: what it has replaced is in force again. */
static void
restore_baseline(const char *name)
{
	struct config_generic *variable = find_variable(name);
	Baseline   *baseline = baselines ? hash_search(baselines, name, HASH_FIND, NULL) : NULL;

	if (variable == NULL)
		return;
	if (baseline == NULL)
		baseline = hash_search(baselines, variable->name, HASH_FIND, NULL);
	if (baseline == NULL)
		return;
	/* A value of lower rank does not replace one of higher: make it the lowest first. */
	variable->reset_source = PGC_S_DEFAULT;
	(void) set_config_option(variable->name, baseline->value ? baseline->value : "", PGC_SUSET,
							 baseline->source, GUC_ACTION_SET, true, ERROR, false);
	reset(variable->name);
}

/*
 * Sets a startup value as if it had come with the connection.  set_config_option()
 * takes some for such that are none, as it does not look at who asks.
 */
static void
set_startup(const char *name, const char *value)
{
	struct config_generic *variable = find_variable(name);

	if (variable != NULL &&
		((variable->context == PGC_BACKEND && strncmp(variable->name, "pgvalet.", 8) == 0) ||
		 (variable->context == PGC_SU_BACKEND && !superuser())))
		ereport(ERROR,
				(errcode(ERRCODE_CANT_CHANGE_RUNTIME_PARAM),
				 errmsg("parameter \"%s\" cannot be set after connection start", name)));
	keep_baseline(name);
	(void) set_config_option(name, value, superuser() ? PGC_SUSET : PGC_USERSET,
							 PGC_S_CLIENT, GUC_ACTION_SET, true, ERROR, false);
}

/* Startup values, with the rights of the user who logged in. */
static void
restore_startup(List *items)
{
	List	   *before = pgv_items_parse(pgv_settings_startup_items(), startup_items.len);
	MemoryContext old;
	ListCell   *cell;

	foreach(cell, before)
	{
		const PgvItem *item = lfirst(cell);

		if (!find_item(items, PGV_ITEM_STARTUP_SETTING, item->name))
			restore_baseline(item->name);
	}
	foreach(cell, items)
	{
		const PgvItem *item = lfirst(cell);
		const PgvItem *has;

		if (item->letter != PGV_ITEM_STARTUP_SETTING)
			continue;
		has = find_item(before, PGV_ITEM_STARTUP_SETTING, item->name);
		if (has != NULL && strcmp(has->value, item->value) == 0)
			continue;
		set_startup(item->name, item->value);
	}

	if (startup_items.data == NULL)
	{
		old = MemoryContextSwitchTo(TopMemoryContext);
		initStringInfo(&startup_items);
		MemoryContextSwitchTo(old);
	}
	resetStringInfo(&startup_items);
	foreach(cell, items)
	{
		const PgvItem *item = lfirst(cell);

		if (item->letter != PGV_ITEM_STARTUP_SETTING)
			continue;
		pgv_items_append(&startup_items, item->letter);
		pgv_items_append_text(&startup_items, item->name);
		pgv_items_append_text(&startup_items, item->value);
	}
}

/* The settings changed now, as PgvItems. */
static List *
changed_now(void)
{
	StringInfoData text;
	int			count;

	initStringInfo(&text);
	pgv_settings_append(&text, &count);
	return pgv_items_parse(text.data, (Size) text.len);
}

static bool
same(const PgvItem *a, const PgvItem *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a->value, b->value) == 0;
}

/* Whether it takes rights of its own to set this. */
static bool
is_privileged(const char *name)
{
	struct config_generic *variable = find_variable(name);

	return variable != NULL && variable->context == PGC_SUSET;
}

/* Sets again what differs from now: all settings that are privileged, or all others. */
static void
restore_session(List *items, List *now, bool privileged)
{
	ListCell   *cell;

	foreach(cell, items)
	{
		const PgvItem *item = lfirst(cell);

		if (item->letter == PGV_ITEM_SESSION_SETTING && !is_user(item->name) &&
			!same(find_item(now, PGV_ITEM_SESSION_SETTING, item->name), item) &&
			is_privileged(item->name) == privileged)
			set_again(item->name, item->value);
	}
}

void
pgv_settings_restore(List *items)
{
	List	   *now = changed_now();
	const PgvItem *user = find_item(items, PGV_ITEM_SESSION_SETTING, SESSION_USER_NAME);
	ListCell   *cell;

	/* As the user who logged in; the role comes last, in pgv_settings_restore_role(). */
	if (find_item(now, PGV_ITEM_SESSION_SETTING, ROLE))
		reset(ROLE);
	if (find_item(now, PGV_ITEM_SESSION_SETTING, SESSION_USER_NAME))
		reset(SESSION_USER_NAME);
	foreach(cell, now)
	{
		const PgvItem *item = lfirst(cell);

		if (!is_user(item->name) && !find_item(items, PGV_ITEM_SESSION_SETTING, item->name))
			reset(item->name);
	}
	restore_startup(items);
	restore_session(items, now, true);
	if (user != NULL)
		set_again(user->name, user->value);
	restore_session(items, now, false);
}

void
pgv_settings_restore_role(List *items)
{
	const PgvItem *role = find_item(items, PGV_ITEM_SESSION_SETTING, ROLE);

	if (role != NULL)
		set_again(ROLE, role->value);
}
