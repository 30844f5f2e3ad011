/*-------------------------------------------------------------------------
 *
 * keep.h
 *	  What outlives shared memory: parts that say so (PgvPart.keep) are copied
 *	  before it goes and taken over when it is made again.
 *
 * A backend that crashes makes the postmaster throw shared memory away and make
 * it anew: the copy is in the postmaster's own memory meanwhile.  When the
 * server is shut down the copy is in a file beside those of the server's own
 * statistics.  It is removed once the server runs again, so a start that fails
 * loses nothing, and a backup has no part of it.
 *
 * Nobody is trusted: after a crash anything may stand in that memory, so it is
 * copied byte by byte, no pointer is followed, no lock is taken, and whoever
 * takes something over looks at every entry.  What makes no sense is left out,
 * and the log says so.
 *
 * Writer	The postmaster, when shared memory goes.
 * Readers	The postmaster, when it was made.
 * Lifetime	Nothing is kept when the postmaster is killed or the machine dies.
 *
 * extension/src/base/keep.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_KEEP_H
#define PGV_KEEP_H

#include "postgres.h"

#include "base/part.h"

/* Where the copy is while the server does not run, below the data directory. */
#define PGV_KEEP_FILE "pg_stat/pgvalet.stat"

/*
 * Lets every part take over what it kept, and sees to it that it is kept again.
 *
 * REQUIRES: we are the postmaster and have just made the parts' memory.
 */
extern void pgv_keep_start(void);

/* What was taken over when the server's memory was made; at == 0: nothing. */
extern const PgvKept *pgv_keep_taken_over(void);

/*
 * Whether something taken over can have happened then: not before 2000, and not
 * later than tomorrow.
 */
extern bool pgv_keep_is_time(TimestampTz time);

/* The server runs: removes the file.  The collector. */
extern void pgv_keep_remove_file(void);

#endif							/* PGV_KEEP_H */
