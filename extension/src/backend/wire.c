/*-------------------------------------------------------------------------
 *
 * wire.c
 *	  Stands between the backend and its client, and sees every message go out.
 *
 * This runs for every message of every row, so the common case is a few
 * instructions; what happens once per command is kept out of line.
 *
 * extension/src/backend/wire.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "backend/activity.h"
#include "access/xact.h"
#include "backend/durations.h"
#include "backend/enforce.h"
#include "backend/query_id.h"
#include "stats/backend_slot.h"
#include "session/catalog_changes.h"
#include "libpq/auth.h"
#include "libpq/libpq.h"
#include "backend/login.h"
#include "replication/walsender.h"
#include "session/session.h"
#include "backend/wire.h"

/* Message types we look at (protocol 3.0, "Message Formats"). */
#define MSG_PARSE_COMPLETE '1'
#define MSG_BIND_COMPLETE '2'
#define MSG_COMMAND_COMPLETE 'C'
#define MSG_DATA_ROW 'D'
#define MSG_ERROR 'E'
#define MSG_FUNCTION_RESULT 'V'
#define MSG_PARAMETER_STATUS 'S'
#define MSG_PORTAL_SUSPENDED 's'
#define MSG_READY_FOR_QUERY 'Z'

/* Bytes of a message besides its body: type and length. */
#define MSG_HEADER_BYTES 5

/* The server's own method for sending, and its methods with ours instead. */
static int	(*server_putmessage) (char type, const char *body, size_t len) = NULL;
static PQcommMethods tapped_methods;

/* Rows sent since the last CommandComplete. */
static int64 rows_sent = 0;

/* The client was told an application_name since the last ReadyForQuery. */
static bool application_changed = false;

static ClientAuthentication_hook_type prev_ClientAuthentication = NULL;

/* The number at the end of a command tag ("INSERT 0 5"), 0 if there is none. */
static int64
tag_rows(const char *tag, size_t len)
{
	const char *end = tag + len - 1;	/* at the terminating zero */
	const char *digit = end;
	int64		rows = 0;

	while (digit > tag && digit[-1] >= '0' && digit[-1] <= '9')
		digit--;
	for (; digit < end; digit++)
		rows = rows * 10 + (*digit - '0');
	return rows;
}

/*
 * A statement is done.  Its tag counts rows that were changed and not sent, or
 * sent by the last of several Executes; the larger number is the whole.  Rows
 * that MOVE steps over are neither.
 */
static void
count_statement(const char *tag, size_t len)
{
	bool		is_move = (tag[0] == 'M' && tag[1] == 'O');

	pgv_my_usage.statement_count++;
	if (!is_move)
		pgv_my_usage.row_count += Max(rows_sent, tag_rows(tag, len));
	rows_sent = 0;
}

/* A statement is answered, or has failed. */
static inline void
end_statement(void)
{
	pgv_query_id_statement_ended();
	pgv_durations_statement_answered();
}

/* ReadyForQuery is next: everything that happens once per command. */
pg_attribute_hot static void
before_ready(char transaction_status)
{
	/* Rows of a statement that failed half-way. */
	pgv_my_usage.row_count += rows_sent;
	rows_sent = 0;

	if (unlikely(pgv_my_slot == NULL))
	{
		pgv_login_finish();
		pgv_session_start();
	}

	pgv_activity_ready(transaction_status);
	if (unlikely(application_changed))
	{
		application_changed = false;
		pgv_login_rename_application();
	}
	if (unlikely(pgv_session_is_followed))
	{
		if (transaction_status == 'I')
			pgv_session_report(server_putmessage);
		else
			pgv_session_report_open(server_putmessage);
	}
	/* Last: it may raise the flags that end the session. */
	if (unlikely(pg_atomic_read_u32(&pgv_my_slot->at_ready) != 0))
		pgv_enforce_at_ready(transaction_status);
}

/* Sends a message that tells more than its length. */
pg_attribute_hot static pg_noinline int
look_at_and_put(char type, const char *body, size_t len)
{
	if (pgv_activity_is_waiting)
		pgv_activity_first_message();

	switch (type)
	{
		case MSG_DATA_ROW:
			rows_sent++;
			break;
		case MSG_COMMAND_COMPLETE:
			pgv_enforce_statement_done();
			count_statement(body, len);
			end_statement();
			break;
		case MSG_FUNCTION_RESULT:
			pgv_my_usage.statement_count++;
			end_statement();
			break;
		case MSG_PORTAL_SUSPENDED:
			end_statement();
			break;
		case MSG_PARSE_COMPLETE:
		case MSG_BIND_COMPLETE:
			/* The next statement of a pipeline has come meanwhile. */
			if (pgv_statements_answered > 0)
				pgv_durations_end_statements(GetCurrentStatementStartTimestamp());
			break;
		case MSG_ERROR:
			pgv_my_usage.error_count++;
			/* Not the farewell to a session that waits. */
			if (!pgv_activity_is_waiting)
				end_statement();
			break;
		case MSG_PARAMETER_STATUS:
			if (strcmp(body, "application_name") == 0)
				application_changed = true;
			if (unlikely(pgv_session_is_followed) &&
				!pgv_session_parameter_changed(body, server_putmessage))
			{
				pgv_my_usage.sent_bytes -= len + MSG_HEADER_BYTES;
				return 0;
			}
			break;
		case MSG_READY_FOR_QUERY:
			before_ready(body[0]);
			break;
		default:
			break;
	}
	return server_putmessage(type, body, len);
}

/*
 * Takes the place of the server's putmessage method.  Everything but counting
 * bytes and rows is left to the other function, so that this one has nothing to
 * save and ends in a jump.
 */
pg_attribute_hot static int
tapped_putmessage(char type, const char *body, size_t len)
{
	pgv_my_usage.sent_bytes += len + MSG_HEADER_BYTES;
	if (unlikely(pgv_activity_is_waiting))
		return look_at_and_put(type, body, len);
	switch (type)
	{
		case MSG_COMMAND_COMPLETE:
		case MSG_ERROR:
		case MSG_FUNCTION_RESULT:
		case MSG_PARAMETER_STATUS:
		case MSG_PORTAL_SUSPENDED:
		case MSG_READY_FOR_QUERY:
			return look_at_and_put(type, body, len);
		case MSG_PARSE_COMPLETE:
		case MSG_BIND_COMPLETE:
			if (unlikely(pgv_statements_answered > 0))
				return look_at_and_put(type, body, len);
			break;
		case MSG_DATA_ROW:
			rows_sent++;
			break;
		default:
			break;
	}
	return server_putmessage(type, body, len);
}

/* ClientAuthentication hook: a client that may enter gets its connection tapped. */
static void
pgv_ClientAuthentication(Port *port, int status)
{
	if (prev_ClientAuthentication)
		prev_ClientAuthentication(port, status);

	if (status != STATUS_OK || am_walsender || pgv_slots == NULL)
		return;
	pgv_session_defaults_at_login = pgv_catalog_changes_all_defaults();
	server_putmessage = PqCommMethods->putmessage;
	tapped_methods = *PqCommMethods;
	tapped_methods.putmessage = tapped_putmessage;
	PqCommMethods = &tapped_methods;
}

void
pgv_wire_install(void)
{
	prev_ClientAuthentication = ClientAuthentication_hook;
	ClientAuthentication_hook = pgv_ClientAuthentication;
}
