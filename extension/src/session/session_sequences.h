/*-------------------------------------------------------------------------
 *
 * session_sequences.h
 *	  What lastval() and currval() know, taken out and put in again.
 *
 * At every idle ReadyForQuery it is taken out, so that the next client never
 * sees another one's value.  Numbers that a sequence with CACHE had in store are
 * lost with it, as with DISCARD SEQUENCES.
 *
 * extension/src/session/session_sequences.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_SESSION_SEQUENCES_H
#define PGV_SESSION_SEQUENCES_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* Put in by the command that ends now: it is for the next one. */
extern bool pgv_sequences_are_fresh;

/* There is something to take out.  Cheap unless contexts have come or gone. */
extern bool pgv_sequences_touched(void);

/* Appends the sequence state and clears it.  At idle; raises no error. */
extern void pgv_sequences_take(StringInfo out);

/*
 * Puts a sequence state in, without touching a sequence.  In a transaction.
 * What cannot be put in (a sequence is gone, or may not be read) stays unknown.
 */
extern void pgv_sequences_restore(const char *state, Size len);

#endif							/* PGV_SESSION_SEQUENCES_H */
