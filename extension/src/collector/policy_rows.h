/*-------------------------------------------------------------------------
 *
 * policy_rows.h
 *	  From rows of the tables to rules and budgets.
 *
 * extension/src/collector/policy_rows.h
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
	PgvBudget  *budgets;
	int			budget_count;
	StringInfoData left_out;	/* which rows are not in force, and why; "" = none */
} PgvPolicyRows;

/*
 * Reads the enabled rows of both tables into the current memory context.  A row
 * that is not understood is left out, and the others are not.
 *
 * REQUIRES: SPI, a snapshot, and tables that are there.
 */
extern void pgv_policy_rows_read(PgvPolicyRows *rows);

#endif							/* PGV_POLICY_ROWS_H */
