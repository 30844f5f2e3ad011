/*-------------------------------------------------------------------------
 *
 * session_pins.h
 *	  What ties a session to its backend, and what it listens to.
 *
 * extension/src/session/session_pins.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_SESSION_PINS_H
#define PGV_SESSION_PINS_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* Reasons, as bits; pgv_pin_names[] has their names in this order. */
typedef enum PgvPin
{
	PGV_PIN_TEMPORARY_OBJECTS,
	PGV_PIN_ADVISORY_LOCKS,
	PGV_PIN_HELD_CURSORS,
	PGV_PIN_RANDOM_SEED,
	PGV_PIN_REPLICATION_ORIGIN,
	PGV_PIN_PRIVILEGED_SETTINGS,
	PGV_PIN_STATE_TOO_LARGE,
	PGV_PIN_UNKNOWN,
	PGV_PIN_LISTEN				/* for the views only: reported as channels */
} PgvPin;
#define PGV_PIN_COUNT (PGV_PIN_LISTEN + 1)

extern const char *const pgv_pin_names[PGV_PIN_COUNT];

/* How many objects there are for each reason; 0: it does not hold. */
typedef struct PgvPins
{
	int64		objects[PGV_PIN_COUNT];
} PgvPins;

/* Finds the server's tables of locks and cursors; false if they are not there. */
extern bool pgv_pins_start(void);

/*
 * Locks and cursors that have outlived their transaction, and the rest that is
 * told by a look: a number that differs when there is something new.  A few
 * instructions, at idle only.
 */
extern long pgv_pins_fingerprint(void);

/* Temporary objects have come or gone, as far as a transaction's end tells. */
extern bool pgv_pins_temporary_changed;

/* Notes which of these the session has done; they hold until it ends. */
extern void pgv_pins_note_seed(void);

/* Counts all.  At idle; raises no error, what cannot be found out is unknown. */
extern void pgv_pins_count(PgvPins *pins);

/* Appends an item for each channel the session listens on; returns their number. */
extern int	pgv_channels_append(StringInfo out);

#endif							/* PGV_SESSION_PINS_H */
