/*-------------------------------------------------------------------------
 *
 * io_budget.c
 *	  The setting pgvalet.io_budgets.
 *
 * It is read anew whenever a budget is asked for, which is when somebody looks at
 * a view: there is no other form of it that would have to be kept up to date.
 *
 * extension/src/stats/io_budget.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include <ctype.h>

#include "stats/io_budget.h"
#include "utils/guc.h"

/* One item of the list. */
typedef struct BudgetItem
{
	char		dimension[16];
	char		name[NAMEDATALEN];	/* "" for the server */
	double		bytes_per_second;
} BudgetItem;

/* pgvalet.io_budgets */
static char *io_budgets = NULL;

static const char *
skip_spaces(const char *c)
{
	while (isspace((unsigned char) *c))
		c++;
	return c;
}

/*
 * Reads a word up to one of these characters, or in double quotes.  Returns where
 * it ends, or NULL if it has no end or no room.
 */
static const char *
read_word(const char *c, const char *ends, char *word, Size size)
{
	bool		is_quoted = (*c == '"');
	Size		length = 0;

	if (is_quoted)
		c++;
	while (*c != '\0' && (is_quoted || strchr(ends, *c) == NULL))
	{
		if (is_quoted && *c == '"' && *++c != '"')
		{
			is_quoted = false;
			break;
		}
		if (length + 1 >= size)
			return NULL;
		word[length++] = *c++;
	}
	word[length] = '\0';
	return is_quoted ? NULL : skip_spaces(c);
}

/* Takes spaces off the end of a word. */
static void
trim(char *word)
{
	Size		length = strlen(word);

	while (length > 0 && isspace((unsigned char) word[length - 1]))
		word[--length] = '\0';
}

static bool
is_dimension(const char *word)
{
	return strcmp(word, "role") == 0 || strcmp(word, "database") == 0 ||
		strcmp(word, "application") == 0;
}

/*
 * Reads the item that begins here.  Returns where it ends, which is at a comma or
 * the end of the list; NULL if it is none.
 */
static const char *
read_item(const char *c, BudgetItem *item)
{
	char		amount[32];

	c = read_word(skip_spaces(c), ":=,", item->dimension, sizeof(item->dimension));
	if (c == NULL)
		return NULL;
	trim(item->dimension);
	item->name[0] = '\0';
	if (is_dimension(item->dimension) && *c == ':')
	{
		c = read_word(skip_spaces(c + 1), "=,", item->name, sizeof(item->name));
		if (c == NULL)
			return NULL;
		trim(item->name);
	}
	else if (strcmp(item->dimension, "server") != 0)
		return NULL;
	if (*c != '=')
		return NULL;
	c = read_word(skip_spaces(c + 1), ",", amount, sizeof(amount));
	if (c == NULL || (*c != ',' && *c != '\0') ||
		!parse_real(amount, &item->bytes_per_second, GUC_UNIT_BYTE, NULL) ||
		item->bytes_per_second <= 0)
		return NULL;
	return c;
}

/* Check hook: every item can be read. */
static bool
check_io_budgets(char **newval, void **extra, GucSource source)
{
	const char *c = skip_spaces(*newval);
	int			number = 0;

	while (*c != '\0')
	{
		BudgetItem		item;

		number++;
		c = read_item(c, &item);
		if (c == NULL)
		{
			GUC_check_errdetail("Item %d of the list is not understood.", number);
			GUC_check_errhint("Items are like server=200MB, role:etl=50MB, database:app=80MB, application:*=20MB: bytes per second above 0.");
			return false;
		}
		if (*c == ',')
			c = skip_spaces(c + 1);
	}
	return true;
}

double
pgv_io_budget(const char *dimension, const char *name)
{
	const char *c = skip_spaces(io_budgets);
	double		budget = 0;

	while (*c != '\0')
	{
		BudgetItem		item;

		c = read_item(c, &item);
		if (c == NULL)
			break;
		if (strcmp(item.dimension, dimension) == 0)
		{
			if (strcmp(item.name, name) == 0)
				return item.bytes_per_second;
			if (strcmp(item.name, "*") == 0)
				budget = item.bytes_per_second;
		}
		if (*c == ',')
			c = skip_spaces(c + 1);
	}
	return budget;
}

void
pgv_io_budget_define_settings(void)
{
	DefineCustomStringVariable("pgvalet.io_budgets",
							   "Bytes per second that roles, databases, applications and the server are meant to read and write.",
							   "A list like server=200MB, application:*=20MB, role:etl=50MB; pgvalet.io_rates compares it with what was used. Nothing is held back.",
							   &io_budgets,
							   "",
							   PGC_SIGHUP, 0,
							   check_io_budgets, NULL, NULL);
}
