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

/* Whether it is one in which there are many names. */
static bool
has_names(const char *dimension)
{
	return strcmp(dimension, "role") == 0 || strcmp(dimension, "database") == 0 ||
		strcmp(dimension, "application") == 0;
}

bool
pgv_io_budget_is_dimension(const char *name)
{
	return has_names(name) || strcmp(name, "server") == 0;
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
	if (has_names(item->dimension) && *c == ':')
	{
		bool		is_quoted;

		c = skip_spaces(c + 1);
		is_quoted = (*c == '"');
		c = read_word(c, "=,", item->name, sizeof(item->name));
		if (c == NULL)
			return NULL;
		trim(item->name);
		/* An application may be called so, if that is what is meant. */
		if (item->name[0] == '\0' && !(is_quoted && strcmp(item->dimension, "application") == 0))
			return NULL;
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

/* Whether one of the items before this one is for the same. */
static bool
is_repeated(const char *list, const char *end, const BudgetItem *item)
{
	const char *c = skip_spaces(list);

	while (c < end)
	{
		BudgetItem	other;

		c = read_item(c, &other);
		if (strcmp(other.dimension, item->dimension) == 0 && strcmp(other.name, item->name) == 0)
			return true;
		c = skip_spaces(c + 1);
	}
	return false;
}

/* What is wrong with the list, as a detail of the error; false if nothing is. */
static bool
say_what_is_wrong(const char *list)
{
	const char *c = skip_spaces(list);
	int			number = 0;

	while (*c != '\0')
	{
		BudgetItem	item;
		const char *begin = c;

		number++;
		c = read_item(c, &item);
		if (c == NULL)
			GUC_check_errdetail("Item %d of the list is not understood.", number);
		else if (is_repeated(list, begin, &item))
			GUC_check_errdetail("Item %d of the list is for the same as an item before.", number);
		else if (*c == ',' && *skip_spaces(c + 1) == '\0')
			GUC_check_errdetail("The list ends in a comma.");
		else
		{
			if (*c == ',')
				c = skip_spaces(c + 1);
			continue;
		}
		return true;
	}
	return false;
}

/* Check hook: every item can be read, and is for something else. */
static bool
check_io_budgets(char **newval, void **extra, GucSource source)
{
	if (!say_what_is_wrong(*newval))
		return true;
	GUC_check_errhint("Items are like server=200MB, role:etl=50MB, database:app=80MB, application:*=20MB: bytes per second above 0.");
	return false;
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
