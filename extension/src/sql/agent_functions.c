/*-------------------------------------------------------------------------
 *
 * agent_functions.c
 *	  What agents tell; sql/parts/15_agent_clients.sql declares it.
 *
 * extension/src/sql/agent_functions.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "sql/sql_common.h"
#include "stats/agent_clients.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(pgvalet_report_clients);

/* The arguments behind the agent's name, arrays of the same length. */
typedef enum PgvReportArgument
{
	ARGUMENT_PIDS,
	ARGUMENT_CLIENT_ADDRS,
	ARGUMENT_CLIENT_PORTS,
	ARGUMENT_APPLICATION_NAMES,
	ARGUMENT_LEASED_US
} PgvReportArgument;

/* Longer than any server runs, and short enough to be taken off any time. */
#define LONGEST_LEASE_US (3653 * USECS_PER_DAY)

#define REPORT_ARGUMENTS (ARGUMENT_LEASED_US + 1)

typedef struct PgvArgument
{
	Datum	   *values;
	bool	   *nulls;
	int			count;
} PgvArgument;

static PgvArgument
read_argument(ArrayType *array)
{
	PgvArgument argument;
	Oid			type = ARR_ELEMTYPE(array);
	int16		length;
	bool		by_value;
	char		align;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	deconstruct_array(array, type, length, by_value, align,
					  &argument.values, &argument.nulls, &argument.count);
	return argument;
}

/* The address is to be readable for type inet whenever somebody asks for it. */
static void
copy_address(char *to, Datum address)
{
	char	   *numeric = TextDatumGetCString(address);

	if (strlen(numeric) >= PGV_CLIENT_ADDR_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("client address is too long")));
	if (numeric[0] != '\0')
		(void) DirectFunctionCall1(inet_in, CStringGetDatum(numeric));
	strlcpy(to, numeric, PGV_CLIENT_ADDR_BYTES);
}

/* Printable ASCII, as the server makes of every application_name. */
static void
copy_name(char *to, Datum name)
{
	strlcpy(to, TextDatumGetCString(name), NAMEDATALEN);
	for (char *c = to; *c != '\0'; c++)
	{
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

/* When a client got its connection, which it has had for so long. */
static TimestampTz
leased_since(int64 leased_us, TimestampTz now)
{
	if (leased_us < 0 || leased_us > LONGEST_LEASE_US)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("leased_us is " INT64_FORMAT, leased_us),
				 errdetail("A lease lasts from 0 microseconds to 10 years.")));
	return now - leased_us;
}

static int32
port_of(int32 port)
{
	if (port < -1 || port > PG_UINT16_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("client port is %d", port),
				 errdetail("Ports are 0 to 65535, or -1 for a Unix-domain socket.")));
	return port;
}

/* One report out of the arrays. */
static PgvAgentReport
read_report(const PgvArgument *arguments, int i, TimestampTz now)
{
	PgvAgentReport report = {0};
	PgvAgentClient *client = &report.client;

	if (arguments[ARGUMENT_PIDS].nulls[i] || arguments[ARGUMENT_LEASED_US].nulls[i])
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("pid and leased_us must not be null")));
	report.pid = DatumGetInt32(arguments[ARGUMENT_PIDS].values[i]);
	client->leased_since = leased_since(DatumGetInt64(arguments[ARGUMENT_LEASED_US].values[i]), now);
	client->client_port = arguments[ARGUMENT_CLIENT_PORTS].nulls[i] ? -1 :
		port_of(DatumGetInt32(arguments[ARGUMENT_CLIENT_PORTS].values[i]));
	if (!arguments[ARGUMENT_CLIENT_ADDRS].nulls[i])
		copy_address(client->client_addr, arguments[ARGUMENT_CLIENT_ADDRS].values[i]);
	if (!arguments[ARGUMENT_APPLICATION_NAMES].nulls[i])
		copy_name(client->application_name, arguments[ARGUMENT_APPLICATION_NAMES].values[i]);
	return report;
}

/* pgvalet.report_clients(): who has the connections of an agent. */
Datum
pgvalet_report_clients(PG_FUNCTION_ARGS)
{
	char	   *agent_name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	TimestampTz now = GetCurrentTimestamp();
	PgvArgument arguments[REPORT_ARGUMENTS];
	PgvAgentReport *reports;
	int			count;

	pgv_require_preloaded();
	if (agent_name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an agent has a name")));
	/* Who came through an agent is no other one.  The agent itself comes without a name. */
	if (pgv_my_slot != NULL && pgv_my_slot->agent_name[0] != '\0' &&
		strcmp(pgv_my_slot->agent_name, agent_name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a connection of agent \"%s\" cannot report for another agent",
						pgv_my_slot->agent_name)));

	for (int i = 0; i < REPORT_ARGUMENTS; i++)
	{
		arguments[i] = read_argument(PG_GETARG_ARRAYTYPE_P(i + 1));
		if (arguments[i].count != arguments[0].count)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("the arrays must have the same length")));
	}

	count = arguments[0].count;
	reports = palloc(Max(count, 1) * sizeof(PgvAgentReport));
	for (int i = 0; i < count; i++)
		reports[i] = read_report(arguments, i, now);
	PG_RETURN_INT32(pgv_agent_clients_report(agent_name, reports, count, now));
}
