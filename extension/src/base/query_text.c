/*-------------------------------------------------------------------------
 *
 * query_text.c
 *	  Texts of statements.
 *
 * extension/src/base/query_text.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/query_text.h"
#include "mb/pg_wchar.h"

/* The most bytes that one character of any encoding of a server has. */
#define CHARACTER_BYTES MAX_MULTIBYTE_CHAR_LEN

char *
pgv_query_text_clip(const char *text, Size size)
{
	int			length = strnlen(text, size - 1);
	int			valid = pg_encoding_verifymbstr(GetDatabaseEncoding(), text, length);
	bool		is_cut_off = (length == (int) size - 1);
	char	   *copy = pnstrdup(text, length);

	if (valid == length || (is_cut_off && length - valid < CHARACTER_BYTES))
	{
		copy[valid] = '\0';
		return copy;
	}
	for (char *c = copy; *c != '\0'; c++)
	{
		if (IS_HIGHBIT_SET(*c))
			*c = '?';
	}
	return copy;
}
