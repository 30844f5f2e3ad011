/*-------------------------------------------------------------------------
 *
 * durations.h
 *	  How long statements, transactions and gaps inside transactions of this
 *	  backend take, without asking the clock.
 *
 * A statement begins when its command arrives and ends with the command; in a
 * pipeline, where several have an arrival of their own, it ends where the next
 * one begins.  Statements of one simple Query cannot be told apart and share its
 * time evenly.  Those that fail count too; an Execute that does not fetch all
 * rows of a portal counts like one that does.
 *
 * extension/src/backend/durations.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_DURATIONS_H
#define PGV_DURATIONS_H

#include "postgres.h"

#include "access/xact.h"
#include "datatype/timestamp.h"
#include "stats/distribution.h"

/* Statements of this command that are answered, and when the first of them began. */
extern int	pgv_statements_answered;
extern TimestampTz pgv_statements_began;

/* Transactions that have ended in this command, and when the first of them began. */
extern int	pgv_transactions_ended;
extern TimestampTz pgv_transactions_began;

/* A command has come; what follows is its answer. */
static inline void
pgv_durations_command_came(TimestampTz arrival)
{
	pgv_statements_began = arrival;
}

/* The answer to a statement, or its failure, is about to be sent. */
static inline void
pgv_durations_statement_answered(void)
{
	pgv_statements_answered++;
}

/* What was answered has taken until then; what follows begins there. */
extern void pgv_durations_end_statements(TimestampTz until);

/* What has ended has taken until then. */
extern void pgv_durations_end_transactions(TimestampTz until);

/* A transaction has ended, committed or not. */
static inline void
pgv_durations_transaction_ended(void)
{
	TimestampTz began = GetCurrentTransactionStartTimestamp();

	/* One that began later than the last one ended where this one began. */
	if (unlikely(pgv_transactions_ended > 0) && began != pgv_transactions_began)
		pgv_durations_end_transactions(began);
	pgv_transactions_began = began;
	pgv_transactions_ended++;
}

/*
 * The command is answered, or the session ends.  Mostly it was one statement and
 * one transaction.
 *
 * REQUIRES: our live distribution is there.
 */
static inline void
pgv_durations_end(TimestampTz until)
{
	if (likely(pgv_statements_answered == 1))
	{
		pgv_distribution_count(PGV_STATEMENT_TIME, Max(until - pgv_statements_began, 0));
		pgv_statements_answered = 0;
	}
	else if (pgv_statements_answered > 0)
		pgv_durations_end_statements(until);

	if (pgv_transactions_ended == 1)
	{
		pgv_distribution_count(PGV_TRANSACTION_TIME, Max(until - pgv_transactions_began, 0));
		pgv_transactions_ended = 0;
	}
	else if (unlikely(pgv_transactions_ended > 0))
		pgv_durations_end_transactions(until);
}

#endif							/* PGV_DURATIONS_H */
