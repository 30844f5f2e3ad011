/*-------------------------------------------------------------------------
 *
 * put_in_force.h
 *	  Puts rules and budgets in force, or out of it, and tells so: events, log.
 *
 * Budgets count everybody from the moment on in which they are in force: the seats
 * of all sessions are reckoned before and swapped with them (budget_seats.h).
 *
 * extension/src/policy/put_in_force.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_PUT_IN_FORCE_H
#define PGV_PUT_IN_FORCE_H

#include "postgres.h"

#include "policy/policy_rows.h"

/*
 * Puts rows of the database we are connected to in force, instead of those there
 * were.
 *
 * REQUIRES: a transaction; no lock of ours.
 */
extern void pgv_policy_put_in_force(const PgvPolicyRows *rows);

/*
 * Puts all out of force: there are no tables, or no database ("" = there is not to
 * be one).  The error, "" = none, is the sentence that says why.  Returns whether
 * it is news.
 *
 * REQUIRES: no lock of ours.
 */
extern bool pgv_policy_put_out_of_force(const char *database, const char *error);

#endif							/* PGV_PUT_IN_FORCE_H */
