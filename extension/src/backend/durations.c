/*-------------------------------------------------------------------------
 *
 * durations.c
 *	  How long statements and transactions of this backend take.
 *
 * extension/src/backend/durations.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "backend/durations.h"

int			pgv_statements_answered = 0;
TimestampTz pgv_statements_began = 0;
int			pgv_transactions_ended = 0;
TimestampTz pgv_transactions_began = 0;

/* Counts several that have taken this long together. */
static void
count_shares(PgvMeasure measure, int64 us, int times)
{
	/* A transaction may end before the first message of the answer. */
	pgv_distribution_check_generation();
	for (int i = 0; i < times; i++)
		pgv_distribution_count(measure, Max(us, 0) / times);
}

pg_attribute_hot void
pgv_durations_end_statements(TimestampTz until)
{
	count_shares(PGV_STATEMENT_TIME, until - pgv_statements_began, pgv_statements_answered);
	pgv_statements_answered = 0;
	pgv_statements_began = until;
}

pg_attribute_hot void
pgv_durations_end_transactions(TimestampTz until)
{
	count_shares(PGV_TRANSACTION_TIME, until - pgv_transactions_began, pgv_transactions_ended);
	pgv_transactions_ended = 0;
}
