/*-------------------------------------------------------------------------
 *
 * farewell.c
 *	  Listens to the server's last words in a client backend.
 *
 * extension/src/backend/farewell.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "backend/farewell.h"
#include "backend/login.h"
#include "libpq/auth.h"
#include "replication/walsender.h"
#include "stats/backend_slot.h"
#include "stats/logins.h"
#include "stats/session_end.h"
#include "storage/ipc.h"
#include "utils/elog.h"
#include "utils/errcodes.h"

static emit_log_hook_type prev_emit_log = NULL;
static ClientAuthentication_hook_type prev_ClientAuthentication = NULL;

/* This process has counted its refusal: there may be more than one message. */
static bool is_refused = false;

/* Why a client is refused with this error. */
static PgvRefusal
reason_of(int sqlerrcode)
{
	if (pgv_end_rule()[0] != '\0')
		return PGV_REFUSED_BUDGET;
	switch (sqlerrcode)
	{
		case ERRCODE_INVALID_PASSWORD:
			return PGV_REFUSED_PASSWORD;
		case ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION:
			return PGV_REFUSED_BY_RULE;
		case ERRCODE_UNDEFINED_DATABASE:
			return PGV_REFUSED_DATABASE;
		case ERRCODE_INSUFFICIENT_PRIVILEGE:
			return PGV_REFUSED_PRIVILEGE;
		case ERRCODE_TOO_MANY_CONNECTIONS:
			return PGV_REFUSED_TOO_MANY;
		case ERRCODE_CANNOT_CONNECT_NOW:
		case ERRCODE_ADMIN_SHUTDOWN:
			return PGV_REFUSED_NOT_READY;
		case ERRCODE_QUERY_CANCELED:
			return PGV_REFUSED_TIMEOUT;
		case ERRCODE_PROTOCOL_VIOLATION:
		case ERRCODE_FEATURE_NOT_SUPPORTED:
			return PGV_REFUSED_PROTOCOL;
		default:
			return PGV_REFUSED_OTHER;
	}
}

/* Counts the refusal of the client that this process serves. */
static void
refuse(PgvRefusal reason, int sqlerrcode)
{
	char		client_addr[PGV_CLIENT_ADDR_BYTES];
	int32		client_port;

	if (is_refused)
		return;
	is_refused = true;
	pgv_login_describe_client(client_addr, &client_port);
	pgv_logins_refuse(reason, sqlerrcode, client_addr, MyProcPort->user_name,
					  MyProcPort->database_name, MyProcPort->application_name);
}

/* Whether this process serves a client that is not let in yet. */
static bool
is_logging_in(void)
{
	return MyProcPort != NULL && pgv_my_slot == NULL && pgv_slots != NULL &&
		!am_walsender && !proc_exit_inprogress;
}

/*
 * emit_log hook.  Before a client has said who it is, every trouble with what it
 * sends is the end, though only some of it is a FATAL error.
 */
static void
pgv_emit_log(ErrorData *edata)
{
	if (edata->elevel == FATAL)
	{
		if (pgv_my_slot != NULL)
			pgv_end_by_error(edata->sqlerrcode);
		else if (is_logging_in())
			refuse(reason_of(edata->sqlerrcode), edata->sqlerrcode);
	}
	else if (edata->elevel == COMMERROR && is_logging_in() && MyProcPort->user_name == NULL)
		refuse(PGV_REFUSED_PROTOCOL, edata->sqlerrcode);

	if (prev_emit_log)
		prev_emit_log(edata);
}

/* ClientAuthentication hook: of a client that just goes away nothing is said. */
static void
pgv_ClientAuthentication(Port *port, int status)
{
	if (prev_ClientAuthentication)
		prev_ClientAuthentication(port, status);

	if (status == STATUS_EOF && is_logging_in())
		refuse(PGV_REFUSED_CLIENT_LEFT, 0);
}

void
pgv_farewell_install(void)
{
	prev_emit_log = emit_log_hook;
	emit_log_hook = pgv_emit_log;
	prev_ClientAuthentication = ClientAuthentication_hook;
	ClientAuthentication_hook = pgv_ClientAuthentication;
}
