/*-------------------------------------------------------------------------
 *
 * plain_text.c
 *	  Text that readers in databases of any encoding can read.
 *
 * extension/src/base/plain_text.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>

#include "base/plain_text.h"

void
pgv_plain_text_mend(char *text, Size size)
{
	text[size - 1] = '\0';
	for (char *c = text; *c != '\0'; c++)
	{
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

void
pgv_plain_text_copy(char *to, const char *from, Size size)
{
	strlcpy(to, from == NULL ? "" : from, size);
	pgv_plain_text_mend(to, size);
}

void
pgv_plain_text_mend_address(char *address, Size size)
{
	struct in6_addr place;		/* has room for either kind */

	pgv_plain_text_mend(address, size);
	if (inet_pton(AF_INET, address, &place) != 1 && inet_pton(AF_INET6, address, &place) != 1)
		address[0] = '\0';
}
