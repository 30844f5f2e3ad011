/*-------------------------------------------------------------------------
 *
 * policy_rows.h
 *	  From rows of the tables to rules and budgets.
 *
 * extension/src/policy/policy_rows.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_POLICY_ROWS_H
#define PGV_POLICY_ROWS_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "policy/rule.h"

typedef struct PgvPolicyRows
{
	PgvRule    *rules;
	int			rule_count;
	int64		enabled_rule_count; /* with those left out */
	PgvBudget  *budgets;
	int			budget_count;
	int64		enabled_budget_count;
	StringInfoData left_out;	/* which rows are not in force, and why; "" = none */
} PgvPolicyRows;

/* Makes it empty. */
extern void pgv_policy_rows_init(PgvPolicyRows *rows);

/*
 * Read the enabled rows of one table, with the rights of its owner, into the
 * current memory context.  A row that is not understood is left out, and the
 * others are not.  An error if the table is not made as ours is.
 *
 * REQUIRES: SPI, a snapshot, a lock on the table.
 */
extern void pgv_policy_rows_read_rules(Oid table, PgvPolicyRows *rows);
extern void pgv_policy_rows_read_budgets(Oid table, PgvPolicyRows *rows);

#endif							/* PGV_POLICY_ROWS_H */
