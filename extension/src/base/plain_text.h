/*-------------------------------------------------------------------------
 *
 * plain_text.h
 *	  Text that readers in databases of any encoding can read: printable ASCII.
 *
 * Names of the settings' own (application_name) are so already; what a client
 * sends before it is let in, or what a crash has left behind, may be anything.
 *
 * extension/src/base/plain_text.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_PLAIN_TEXT_H
#define PGV_PLAIN_TEXT_H

#include "postgres.h"

/*
 * Makes what stands in an array of this size plain text: puts '?' in the place
 * of every other character, and a zero at the end.
 */
extern void pgv_plain_text_mend(char *text, Size size);

/* Copies text into an array of this size, as plain text; NULL gives "". */
extern void pgv_plain_text_copy(char *to, const char *from, Size size);

/* Makes what stands in such an array the address of a host, or "" if it is none. */
extern void pgv_plain_text_mend_address(char *address, Size size);

#endif							/* PGV_PLAIN_TEXT_H */
