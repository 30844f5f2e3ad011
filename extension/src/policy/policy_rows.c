/*-------------------------------------------------------------------------
 *
 * policy_rows.c
 *	  From rows of the tables to rules and budgets.
 *
 * The constraints of the tables (sql/parts) say the same as the checks here, but
 * whoever owns a table can drop a constraint.
 *
 * extension/src/policy/policy_rows.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "policy/owner_select.h"
#include "policy/policy_rows.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define MICROSECONDS(column) "(extract(epoch FROM " column ") * 1000000)::bigint"

static const char rules_query[] =
"SELECT name, state, role_name, includes_members, database_name, application_pattern,"
" host(client_network), masklen(client_network), client_is_local, connection_kind,"
" min_used_share, " MICROSECONDS("log_after") ", " MICROSECONDS("warn_after") ", "
MICROSECONDS("cancel_after") ", " MICROSECONDS("end_after") ","
" spares_superusers, spares_advisory_locks, spares_listeners, spares_roles, is_dry_run"
" FROM ONLY pgvalet.idle_policy WHERE is_enabled ORDER BY position, name COLLATE \"C\"";

static const PgvColumn rules_columns[] = {
	{"position", INT4OID}, {"name", TEXTOID}, {"is_enabled", BOOLOID}, {"is_dry_run", BOOLOID},
	{"state", TEXTOID}, {"role_name", TEXTOID}, {"includes_members", BOOLOID},
	{"database_name", TEXTOID}, {"application_pattern", TEXTOID}, {"client_network", CIDROID},
	{"client_is_local", BOOLOID}, {"connection_kind", TEXTOID}, {"min_used_share", FLOAT8OID},
	{"log_after", INTERVALOID}, {"warn_after", INTERVALOID}, {"cancel_after", INTERVALOID},
	{"end_after", INTERVALOID}, {"spares_superusers", BOOLOID},
	{"spares_advisory_locks", BOOLOID}, {"spares_listeners", BOOLOID},
	{"spares_roles", TEXTARRAYOID},
};

/* Columns of rules_query. */
enum
{
	RULE_NAME = 1,
	RULE_STATE,
	RULE_MATCH,					/* four columns, as of a budget */
	RULE_NETWORK = RULE_MATCH + 4,
	RULE_NETWORK_BITS,
	RULE_IS_LOCAL,
	RULE_KIND,
	RULE_SHARE,
	RULE_AFTER,					/* PGV_ACTIONS columns */
	RULE_SPARES_SUPERUSERS = RULE_AFTER + PGV_ACTIONS,
	RULE_SPARES_LOCKS,
	RULE_SPARES_LISTENERS,
	RULE_SPARES_ROLES,
	RULE_IS_DRY_RUN
};

static const char budgets_query[] =
"SELECT name, role_name, includes_members, database_name, application_pattern,"
" max_connections, reserved_connections, reserved_for, is_dry_run"
" FROM ONLY pgvalet.connection_budget WHERE is_enabled ORDER BY name COLLATE \"C\"";

static const PgvColumn budgets_columns[] = {
	{"name", TEXTOID}, {"is_enabled", BOOLOID}, {"is_dry_run", BOOLOID}, {"role_name", TEXTOID},
	{"includes_members", BOOLOID}, {"database_name", TEXTOID}, {"application_pattern", TEXTOID},
	{"max_connections", INT4OID}, {"reserved_for", TEXTARRAYOID},
	{"reserved_connections", INT4OID},
};

/* Columns of budgets_query. */
enum
{
	BUDGET_NAME = 1,
	BUDGET_MATCH,				/* four columns */
	BUDGET_MAX = BUDGET_MATCH + 4,
	BUDGET_RESERVED,
	BUDGET_RESERVED_FOR,
	BUDGET_IS_DRY_RUN
};

/* A column as C string, NULL for NULL. */
static char *
text_of(HeapTuple row, int column)
{
	return SPI_getvalue(row, SPI_tuptable->tupdesc, column);
}

static Datum
value_of(HeapTuple row, int column, bool *is_null)
{
	return SPI_getbinval(row, SPI_tuptable->tupdesc, column, is_null);
}

static bool
bool_of(HeapTuple row, int column)
{
	bool		is_null;
	Datum		value = value_of(row, column, &is_null);

	return !is_null && DatumGetBool(value);
}

/* Copies a text that may be NULL; false if there is no room for it. */
static bool
read_text(HeapTuple row, int column, char *to, Size bytes)
{
	char	   *text = text_of(row, column);

	return text == NULL || strlcpy(to, text, bytes) < bytes;
}

/* An array of names; false if there are too many, or one is too long or NULL. */
static bool
read_names(HeapTuple row, int column, PgvNames *names)
{
	bool		is_null;
	Datum		value = value_of(row, column, &is_null);
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	if (is_null)
		return true;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &count);
	if (count > PGV_MAX_NAMES)
		return false;
	for (int i = 0; i < count; i++)
	{
		if (nulls[i] ||
			strlcpy(names->names[i], TextDatumGetCString(elements[i]), NAMEDATALEN) >= NAMEDATALEN)
			return false;
	}
	names->count = count;
	return true;
}

/* The four columns that rules and budgets have in common. */
static bool
read_match(HeapTuple row, int first_column, PgvMatch *match)
{
	match->includes_members = bool_of(row, first_column + 1);
	match->has_pattern = text_of(row, first_column + 3) != NULL;
	return read_text(row, first_column, match->role_name, sizeof(match->role_name)) &&
		read_text(row, first_column + 2, match->database_name, sizeof(match->database_name)) &&
		read_text(row, first_column + 3, match->application_pattern,
				  sizeof(match->application_pattern));
}

/* Yes, no, or any for NULL. */
static int32
wanted(bool is_null, bool value)
{
	if (is_null)
		return PGV_WANTED_ANY;
	return value ? PGV_WANTED_YES : PGV_WANTED_NO;
}

/* Which clients. */
static bool
read_client(HeapTuple row, PgvRule *rule)
{
	char	   *network = text_of(row, RULE_NETWORK);
	char	   *kind = text_of(row, RULE_KIND);

	rule->is_local = wanted(text_of(row, RULE_IS_LOCAL) == NULL, bool_of(row, RULE_IS_LOCAL));
	rule->is_agent = wanted(kind == NULL, kind != NULL && strcmp(kind, "agent") == 0);
	if (kind != NULL && strcmp(kind, "agent") != 0 && strcmp(kind, "direct") != 0)
		return false;
	if (network == NULL)
		return true;
	rule->network_family = strchr(network, ':') != NULL ? AF_INET6 : AF_INET;
	rule->network_bits = pg_strtoint32(text_of(row, RULE_NETWORK_BITS));
	return inet_pton(rule->network_family, network, rule->network_address) == 1;
}

static bool
read_state(HeapTuple row, PgvRule *rule)
{
	char	   *state = text_of(row, RULE_STATE);

	for (int i = 0; state != NULL && i < PGV_RULE_STATES; i++)
	{
		if (strcmp(state, pgv_rule_state_names[i]) == 0)
		{
			rule->state = i;
			return true;
		}
	}
	return false;
}

/* What the rule does and when. */
static bool
read_delays(HeapTuple row, PgvRule *rule)
{
	bool		is_null;
	Datum		value;

	for (int action = 0; action < PGV_ACTIONS; action++)
	{
		value = value_of(row, RULE_AFTER + action, &is_null);
		if (is_null)
			continue;
		rule->after_us[action] = DatumGetInt64(value);
		if (rule->after_us[action] <= 0)
			return false;
	}
	if (rule->after_us[PGV_ACTION_CANCEL] > 0 && rule->state != PGV_RULE_ACTIVE)
		return false;
	value = value_of(row, RULE_SHARE, &is_null);
	rule->min_used_share = is_null ? -1 : DatumGetFloat8(value);
	return true;
}

static bool
read_rule(HeapTuple row, PgvRule *rule)
{
	rule->spares_superusers = bool_of(row, RULE_SPARES_SUPERUSERS);
	rule->spares_advisory_locks = bool_of(row, RULE_SPARES_LOCKS);
	rule->spares_listeners = bool_of(row, RULE_SPARES_LISTENERS);
	rule->is_dry_run = bool_of(row, RULE_IS_DRY_RUN);
	return read_text(row, RULE_NAME, rule->name, sizeof(rule->name)) &&
		read_state(row, rule) && read_match(row, RULE_MATCH, &rule->match) &&
		read_client(row, rule) && read_delays(row, rule) &&
		read_names(row, RULE_SPARES_ROLES, &rule->spares_roles);
}

static bool
read_budget(HeapTuple row, PgvBudget *budget)
{
	bool		is_null;

	budget->max_connections = DatumGetInt32(value_of(row, BUDGET_MAX, &is_null));
	if (is_null || budget->max_connections < 0)
		return false;
	budget->reserved_connections = DatumGetInt32(value_of(row, BUDGET_RESERVED, &is_null));
	if (is_null)
		budget->reserved_connections = 0;
	budget->is_dry_run = bool_of(row, BUDGET_IS_DRY_RUN);
	return read_text(row, BUDGET_NAME, budget->name, sizeof(budget->name)) &&
		read_match(row, BUDGET_MATCH, &budget->match) &&
		read_names(row, BUDGET_RESERVED_FOR, &budget->reserved_for);
}

/* Notes that a row is not in force. */
static void
leave_out(StringInfo left_out, const char *kind, HeapTuple row, const char *why)
{
	char	   *name = text_of(row, 1);

	appendStringInfo(left_out, "%s%s \"%s\" %s", left_out->len > 0 ? "; " : "", kind,
					 name != NULL ? name : "", why);
}

void
pgv_policy_rows_init(PgvPolicyRows *rows)
{
	memset(rows, 0, sizeof(*rows));
	initStringInfo(&rows->left_out);
}

void
pgv_policy_rows_read_rules(Oid table, PgvPolicyRows *rows)
{
	pgv_owner_select(table, rules_columns, lengthof(rules_columns), rules_query);
	rows->enabled_rule_count = (int64) SPI_processed;
	rows->rules = palloc0(PGV_MAX_RULES * sizeof(PgvRule));
	rows->rule_count = 0;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		PgvRule    *rule = &rows->rules[rows->rule_count];

		if (rows->rule_count == PGV_MAX_RULES)
			leave_out(&rows->left_out, "rule", row, "is one too many");
		else if (read_rule(row, rule))
			rows->rule_count++;
		else
		{
			leave_out(&rows->left_out, "rule", row, "is not understood");
			memset(rule, 0, sizeof(*rule));
		}
	}
}

void
pgv_policy_rows_read_budgets(Oid table, PgvPolicyRows *rows)
{
	pgv_owner_select(table, budgets_columns, lengthof(budgets_columns), budgets_query);
	rows->enabled_budget_count = (int64) SPI_processed;
	rows->budgets = palloc0(PGV_MAX_BUDGETS * sizeof(PgvBudget));
	rows->budget_count = 0;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		PgvBudget  *budget = &rows->budgets[rows->budget_count];

		if (rows->budget_count == PGV_MAX_BUDGETS)
			leave_out(&rows->left_out, "budget", row, "is one too many");
		else if (read_budget(row, budget))
			rows->budget_count++;
		else
		{
			leave_out(&rows->left_out, "budget", row, "is not understood");
			memset(budget, 0, sizeof(*budget));
		}
	}
}
