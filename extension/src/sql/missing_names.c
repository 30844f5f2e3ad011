/*-------------------------------------------------------------------------
 *
 * missing_names.c
 *	  Names in rules and budgets that stand for no role or database.
 *
 * extension/src/sql/missing_names.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "commands/dbcommands.h"
#include "sql/missing_names.h"
#include "utils/acl.h"

int
pgv_missing_names(const PgvMatch *match, const PgvNames *roles, PgvMissingName *missing)
{
	int			count = 0;

	if (match->role_name[0] != '\0' && !OidIsValid(get_role_oid(match->role_name, true)))
		missing[count++] = (PgvMissingName) {"role", match->role_name};
	if (match->database_name[0] != '\0' &&
		!OidIsValid(get_database_oid(match->database_name, true)))
		missing[count++] = (PgvMissingName) {"database", match->database_name};
	for (int i = 0; i < roles->count; i++)
	{
		if (!OidIsValid(get_role_oid(roles->names[i], true)))
			missing[count++] = (PgvMissingName) {"role", roles->names[i]};
	}
	return count;
}
