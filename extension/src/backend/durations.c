/*-------------------------------------------------------------------------
 *
 * durations.c
 *	  How long statements and transactions of this backend take.
 *
 * extension/src/backend/durations.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/xact.h"
#include "backend/durations.h"
#include "stats/distribution.h"

TimestampTz pgv_statements_began = 0;
int			pgv_statements_answered = 0;
int			pgv_transactions_ended = 0;

/* When those transactions began. */
static TimestampTz transactions_began = 0;

/* Counts several that have taken this long together. */
static inline void
count(PgvMeasure measure, int64 us, int times)
{
	us = Max(us, 0);
	if (likely(times == 1))
	{
		pgv_distribution_count(measure, us);
		return;
	}
	for (int i = 0; i < times; i++)
		pgv_distribution_count(measure, us / times);
}

void
pgv_durations_end_statements(TimestampTz until)
{
	count(PGV_STATEMENT_TIME, until - pgv_statements_began, pgv_statements_answered);
	pgv_statements_answered = 0;
	pgv_statements_began = until;
}

void
pgv_durations_end_transactions(TimestampTz until)
{
	count(PGV_TRANSACTION_TIME, until - transactions_began, pgv_transactions_ended);
	pgv_transactions_ended = 0;
}

/* One that began later than the last one ended where this one began. */
void
pgv_durations_transaction_ended(void)
{
	TimestampTz began = GetCurrentTransactionStartTimestamp();

	if (pgv_transactions_ended > 0 && began != transactions_began)
		pgv_durations_end_transactions(began);
	transactions_began = began;
	pgv_transactions_ended++;
}
