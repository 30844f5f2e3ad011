/*-------------------------------------------------------------------------
 *
 * budget_seats.h
 *	  In which connection budgets each session counts, and how many do in each.
 *
 * A seat has the budgets whose conditions on role and database the session meets;
 * its application is looked at when it is counted.
 *
 * Seats are always those of the budgets in force: who puts other budgets in force,
 * or finds that roles or databases have changed, first reckons the seats of all
 * sessions, which reads catalogs, and then swaps them, and the budgets, while
 * nobody logs in.  A session that logs in meanwhile is seen to then (the plan does
 * not fit and is made anew), or sees by the generation that its seat is old.
 *
 * Writer	Each session's seat: its backend at login, later who swaps; both under
 *			PGV_LOCK_SLOTS exclusively.
 * Readers	Logins and pgvalet.budget, under the same lock.
 * Lifetime	MaxBackends seats, made at server start; one means something while
 *			the slot at the same place is live.
 *
 * extension/src/policy/budget_seats.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_BUDGET_SEATS_H
#define PGV_BUDGET_SEATS_H

#include "postgres.h"

#include "base/part.h"
#include "policy/identity.h"
#include "policy/rule.h"
#include "utils/hsearch.h"

#define PGV_SEAT_WORDS (PGV_MAX_BUDGETS / 64)

/* Enough binary digits for the highest MaxBackends. */
#define PGV_SEAT_DIGITS 18

/* Bits by place of the budget. */
typedef struct PgvBudgetSeat
{
	uint64		bits[PGV_SEAT_WORDS];
} PgvBudgetSeat;

/* How many count in each budget: digit by digit, so that adding a seat is some steps. */
typedef struct PgvSeatCounts
{
	uint64		digits[PGV_SEAT_DIGITS][PGV_SEAT_WORDS];
} PgvSeatCounts;

/* Seats of all sessions, reckoned before they are needed. */
typedef struct PgvSeatPlan
{
	uint32		generation;		/* of the seats when it was begun */
	HTAB	   *known;			/* by role and database; NULL = no seats: no budgets */
	PgvBudgetSeat *seats;		/* of the session at each place, once it fits */
} PgvSeatPlan;

/* The part of shared memory that the seats are; its upkeep renews them. */
extern const PgvPart pgv_budget_seats_part;

/* Grows when seats are swapped.  Read it before what a seat is reckoned from. */
extern uint32 pgv_seats_generation(void);

static inline bool
pgv_seat_has(const PgvBudgetSeat *seat, int place)
{
	return (seat->bits[place / 64] & (UINT64CONST(1) << (place % 64))) != 0;
}

/* The seat of a session of this identity among these budgets. */
extern PgvBudgetSeat pgv_seat_among(const PgvIdentity *identity, const PgvBudget *budgets,
									int count);

/* Same among the budgets in force.  Takes PGV_LOCK_POLICY. */
extern PgvBudgetSeat pgv_seat_in_force(const PgvIdentity *identity);

/*
 * The budgets of a seat whose condition on the application is met too.
 *
 * REQUIRES: PGV_LOCK_POLICY.
 */
extern PgvBudgetSeat pgv_seat_of_application(const PgvBudgetSeat *seat, const char *application_name);

/* Gives this backend's session its seat.  REQUIRES: PGV_LOCK_SLOTS exclusively. */
extern void pgv_seat_take(const PgvBudgetSeat *seat);

/*
 * Counts the live sessions in the budgets of a seat; those opened by agents apart,
 * unless agents is NULL.
 *
 * REQUIRES: PGV_LOCK_SLOTS and PGV_LOCK_POLICY.
 */
extern void pgv_seats_count(const PgvBudgetSeat *wanted, PgvSeatCounts *others,
							PgvSeatCounts *agents);

/* How many there are in one budget. */
extern int32 pgv_seats_counted(const PgvSeatCounts *counts, int place);

/*
 * Reckons the seats of all sessions among these budgets.
 *
 * REQUIRES: a transaction, unless count is 0; no lock.
 */
extern PgvSeatPlan *pgv_seats_plan(const PgvBudget *budgets, int count);

/*
 * Begins to swap: true if the plan fits, and PGV_LOCK_SLOTS is held exclusively.
 * Else make another.
 */
extern bool pgv_seats_begin(PgvSeatPlan *plan);

/* Puts the seats in force and lets the lock go. */
extern void pgv_seats_end(PgvSeatPlan *plan);

#endif							/* PGV_BUDGET_SEATS_H */
