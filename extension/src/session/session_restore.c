/*-------------------------------------------------------------------------
 *
 * session_restore.c
 *	  Gives the session another state, when its agent asks for it.
 *
 * The agent calls set_config('pgvalet.session', '<key> <state> <sequences>',
 * false), the last two in base64: a function that every database has, a call
 * that leaves no text in a log.  The work is done by the variable's check hook,
 * so it is part of that command and of its transaction.  The variable itself
 * keeps nothing.
 *
 * extension/src/session/session_restore.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "executor/executor.h"
#include "parser/analyze.h"
#include "session/session.h"
#include "session/session_items.h"
#include "session/session_sequences.h"
#include "base/settings.h"
#include "tcop/utility.h"
#include "utils/memutils.h"

/* The error of a restore that failed: what comes behind it gets the same. */
static ErrorData *failure = NULL;

static ExecutorStart_hook_type prev_ExecutorStart = NULL;
static ProcessUtility_hook_type prev_ProcessUtility = NULL;
static post_parse_analyze_hook_type prev_post_parse_analyze = NULL;
static object_access_hook_type prev_object_access = NULL;

/* What pgvalet.session shows: nothing, whatever it is set to. */
static char *session_variable = NULL;

/* ---- after a failure nothing else is carried out ---- */

static void
refuse(void)
{
	ereport(ERROR,
			(errcode(failure->sqlerrcode),
			 errmsg("%s", failure->message),
			 failure->detail ? errdetail("%s", failure->detail) : 0,
			 errhint("The state of this session could not be restored on another server connection.")));
}

static void
refusing_ExecutorStart(QueryDesc *query, int flags)
{
	refuse();
}

static void
refusing_ProcessUtility(PlannedStmt *planned, const char *text, bool read_only,
						ProcessUtilityContext context, ParamListInfo params,
						QueryEnvironment *environment, DestReceiver *receiver,
						QueryCompletion *completion)
{
	refuse();
}

static void
refusing_post_parse_analyze(ParseState *state, Query *query, JumbleState *jumble)
{
	refuse();
}

static void
refusing_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (access == OAT_FUNCTION_EXECUTE)
		refuse();
	if (prev_object_access)
		prev_object_access(access, class_id, object_id, sub_id, arg);
}

/* From here on every statement fails with this error, to the end of the session. */
static void
refuse_from_now_on(ErrorData *error)
{
	if (failure != NULL)
		return;
	failure = error;
	prev_ExecutorStart = ExecutorStart_hook;
	ExecutorStart_hook = refusing_ExecutorStart;
	prev_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = refusing_ProcessUtility;
	prev_post_parse_analyze = post_parse_analyze_hook;
	post_parse_analyze_hook = refusing_post_parse_analyze;
	prev_object_access = object_access_hook;
	object_access_hook = refusing_object_access;
}

/* ---- the request ---- */

/* The bytes behind a word of base64; palloc'd. */
static char *
decode(const char *word, Size word_len, int *len)
{
	int			most = pg_b64_dec_len((int) word_len);
	char	   *bytes = palloc((Size) most + 1);

	*len = pgv_b64_decode(word, (int) word_len, bytes, most);
	if (*len < 0)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("the session state sent by the pgvalet agent is malformed")));
	bytes[*len] = '\0';
	return bytes;
}

/* "<state> <sequences>" */
static void
carry_out(const char *request)
{
	const char *blank = strchr(request, ' ');
	Size		state_word = blank ? (Size) (blank - request) : strlen(request);
	int			state_len;
	int			sequences_len;
	char	   *state = decode(request, state_word, &state_len);

	if (blank != NULL && blank[1] != '\0')
	{
		char	   *sequences = decode(blank + 1, strlen(blank + 1), &sequences_len);

		pgv_sequences_restore(sequences, (Size) sequences_len);
	}
	pgv_session_restore(state, (Size) state_len);
	pgv_session_note_restored(state, (Size) state_len);
}

static void
restore(const char *request)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		carry_out(request);
	}
	PG_CATCH();
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		refuse_from_now_on(CopyErrorData());
		MemoryContextSwitchTo(old);
		MemoryContextSwitchTo(context);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/* The value begins with this session's key and a blank. */
static bool
has_key(const char *value)
{
	Size		len = strlen(pgv_agent_key);
	unsigned char difference = 0;

	if (len == 0 || strlen(value) <= len || value[len] != ' ')
		return false;
	/* In a time that does not tell how much of it was right. */
	for (Size i = 0; i < len; i++)
		difference |= (unsigned char) (value[i] ^ pgv_agent_key[i]);
	return difference == 0;
}

static bool
check_session(char **newval, void **extra, GucSource source)
{
	/* Its default, going back to it, and a parallel worker that takes over its leader's. */
	if (**newval == '\0' && (source != PGC_S_SESSION || InitializingParallelWorker))
		return true;
	if (source == PGC_S_SESSION && pgv_session_is_followed && failure == NULL &&
		IsTransactionState() && has_key(*newval))
	{
		restore(*newval + strlen(pgv_agent_key) + 1);
		**newval = '\0';
		return true;
	}
	GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	GUC_check_errmsg("parameter \"%s\" belongs to the agent of pgvalet", PGV_SESSION_PARAMETER);
	return false;
}

static const char *
show_nothing(void)
{
	return "";
}

void
pgv_session_define_settings(void)
{
	DefineCustomStringVariable("pgvalet.agent_key",
							   "What the pgvalet agent that opened this connection is known by.",
							   "Sent by the agent when it connects; random, and shown to nobody. A connection with a key reports its session to the agent.",
							   &pgv_agent_key,
							   "",
							   PGC_BACKEND,
							   GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL | GUC_DISALLOW_IN_FILE,
							   NULL, NULL, show_nothing);
	DefineCustomStringVariable("pgvalet.agent_pool_mode",
							   "How the pgvalet agent pools this connection: session, transaction or statement.",
							   "Sent by the agent when it connects; in session mode sequences keep what lastval() and currval() know.",
							   &pgv_agent_pool_mode,
							   "",
							   PGC_BACKEND,
							   GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							   NULL, NULL, NULL);
	DefineCustomStringVariable(PGV_SESSION_PARAMETER,
							   "By which the pgvalet agent restores the state of a session.",
							   "Belongs to the agent: only who knows the key of the connection can set it.",
							   &session_variable,
							   "",
							   PGC_USERSET,
							   GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL | GUC_NO_RESET_ALL | GUC_DISALLOW_IN_FILE,
							   check_session, NULL, show_nothing);
}
