/*-------------------------------------------------------------------------
 *
 * session_pins.c
 *	  What ties a session to its backend, and what it listens to.
 *
 * extension/src/session/session_pins.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_namespace.h"
#include "base/dynahash_find.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "replication/origin.h"
#include "session/own_transaction.h"
#include "session/session_items.h"
#include "session/session_pins.h"
#include "session/session_settings.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

const char *const pgv_pin_names[PGV_PIN_COUNT] = {
	"temporary_objects",
	"advisory_locks",
	"held_cursors",
	"random_seed",
	"replication_origin",
	"privileged_settings",
	"state_too_large",
	"unknown",
	"listen"
};

/* More are not counted one by one. */
#define MOST_COUNTED 1000

bool		pgv_pins_temporary_changed = false;

static HTAB *portals = NULL;
static HTAB *locks = NULL;
static bool seed_was_set = false;

/* Temporary objects when they were counted last; -1: that failed. */
static int64 temporary_objects = 0;

bool
pgv_pins_start(void)
{
	portals = pgv_dynahash_find("Portal hash");
	locks = pgv_dynahash_find("LOCALLOCK hash");
	return portals != NULL && locks != NULL;
}

long
pgv_pins_fingerprint(void)
{
	long		tied = hash_get_num_entries(locks) * 1024 + hash_get_num_entries(portals);

	if (unlikely(seed_was_set))
		tied |= 1L << 40;
	if (unlikely(replorigin_session_origin != InvalidRepOriginId))
		tied |= 1L << 41;
	return tied;
}

void
pgv_pins_note_seed(void)
{
	seed_was_set = true;
}

/* Rows of pg_depend that say "belongs to this schema", an Oid.  In a transaction. */
static int64
count_dependents(void *what)
{
	Oid			schema = *(Oid *) what;
	Relation	depend;
	ScanKeyData key[2];
	SysScanDesc scan;
	int64		count = 0;

	/* VACUUM FULL of the catalog must not hold up a ReadyForQuery. */
	if (!ConditionalLockRelationOid(DependRelationId, AccessShareLock))
		return -1;
	depend = table_open(DependRelationId, NoLock);
	ScanKeyInit(&key[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(NamespaceRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(schema));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, key);
	while (count < MOST_COUNTED && HeapTupleIsValid(systable_getnext(scan)))
		count++;
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return count;
}

static int64
count_temporary(void)
{
	Oid			schema = MyProc->tempNamespaceId;

	return OidIsValid(schema) ? pgv_count_in_transaction(count_dependents, &schema) : 0;
}

static void
count_locks(PgvPins *pins)
{
	HASH_SEQ_STATUS scan;
	LOCALLOCK  *held;

	if (hash_get_num_entries(locks) == 0)
		return;
	hash_seq_init(&scan, locks);
	while ((held = hash_seq_search(&scan)) != NULL)
	{
		if (held->nLocks == 0)
			continue;
		if (held->tag.lock.locktag_lockmethodid == USER_LOCKMETHOD)
			pins->objects[PGV_PIN_ADVISORY_LOCKS]++;
		else
			pins->objects[PGV_PIN_UNKNOWN]++;
	}
}

static void
count_settings(PgvPins *pins)
{
	int			count = pgv_settings_count_privileged();

	if (count < 0)
		pins->objects[PGV_PIN_UNKNOWN]++;
	else
		pins->objects[PGV_PIN_PRIVILEGED_SETTINGS] = count;
}

void
pgv_pins_count(PgvPins *pins)
{
	memset(pins, 0, sizeof(*pins));
	if (pgv_pins_temporary_changed)
	{
		temporary_objects = count_temporary();
		/* If it failed, it is to be tried again. */
		pgv_pins_temporary_changed = temporary_objects < 0;
	}
	if (temporary_objects < 0)
		pins->objects[PGV_PIN_UNKNOWN]++;
	else
		pins->objects[PGV_PIN_TEMPORARY_OBJECTS] = temporary_objects;
	count_locks(pins);
	pins->objects[PGV_PIN_HELD_CURSORS] = hash_get_num_entries(portals);
	pins->objects[PGV_PIN_RANDOM_SEED] = seed_was_set ? 1 : 0;
	pins->objects[PGV_PIN_REPLICATION_ORIGIN] =
		replorigin_session_origin != InvalidRepOriginId ? 1 : 0;
	count_settings(pins);
}

/* pg_listening_channels() needs no transaction: it is called as a function is. */
int
pgv_channels_append(StringInfo out)
{
	LOCAL_FCINFO(fcinfo, 0);
	FmgrInfo	function = {0};
	ReturnSetInfo result = {0};
	ExprContext *context = CreateStandaloneExprContext();
	int			count = 0;

	function.fn_addr = pg_listening_channels;
	function.fn_oid = F_PG_LISTENING_CHANNELS;
	function.fn_retset = true;
	function.fn_strict = true;
	function.fn_mcxt = context->ecxt_per_query_memory;
	result.type = T_ReturnSetInfo;
	result.econtext = context;
	result.allowedModes = SFRM_ValuePerCall;
	InitFunctionCallInfoData(*fcinfo, &function, 0, InvalidOid, NULL, (Node *) &result);
	for (;;)
	{
		Datum		channel;

		fcinfo->isnull = false;
		result.isDone = ExprSingleResult;
		channel = FunctionCallInvoke(fcinfo);
		if (result.isDone != ExprMultipleResult)
			break;
		pgv_items_append(out, PGV_ITEM_CHANNEL);
		pgv_items_append_text(out, TextDatumGetCString(channel));
		count++;
	}
	FreeExprContext(context, true);
	return count;
}
