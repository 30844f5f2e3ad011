/*-------------------------------------------------------------------------
 *
 * query_text.h
 *	  Texts of statements, kept in shared memory in the encoding of the database
 *	  they were sent to and read in another.
 *
 * extension/src/base/query_text.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_QUERY_TEXT_H
#define PGV_QUERY_TEXT_H

#include "postgres.h"

/*
 * A text out of an array of this size, as one that is valid here.  If it fills
 * the array it may end in the middle of a character, and is cut off before that;
 * if it is of another encoding, everything that is not ASCII becomes '?'.  In the
 * current memory context.
 */
extern char *pgv_query_text_clip(const char *text, Size size);

#endif							/* PGV_QUERY_TEXT_H */
