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

#include "datatype/timestamp.h"

/* When the statements being answered began; how many of them are answered. */
extern TimestampTz pgv_statements_began;
extern int	pgv_statements_answered;

/* Transactions that have ended in the command being answered, and how many. */
extern int	pgv_transactions_ended;

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

/* A transaction has ended, committed or not. */
extern void pgv_durations_transaction_ended(void);

extern void pgv_durations_end_transactions(TimestampTz until);

/*
 * The command is answered, or the session ends.
 *
 * REQUIRES: our live distribution is there.
 */
static inline void
pgv_durations_end(TimestampTz until)
{
	if (likely(pgv_statements_answered > 0))
		pgv_durations_end_statements(until);
	if (pgv_transactions_ended > 0)
		pgv_durations_end_transactions(until);
}

#endif							/* PGV_DURATIONS_H */
