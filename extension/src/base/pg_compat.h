/*-------------------------------------------------------------------------
 *
 * pg_compat.h
 *	  What differs between PostgreSQL 15, 16, 17 and 18, behind one name each.
 *
 * This is the only file that looks at PG_VERSION_NUM.
 *
 * extension/src/base/pg_compat.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_PG_COMPAT_H
#define PGV_PG_COMPAT_H

#include "postgres.h"

/*
 * libpq-be.h wants the headers of GSSAPI and OpenSSL if the server was built
 * with them.  Port keeps what depends on them behind void pointers or at its
 * end, so we read the members before them without those headers.
 */
#undef ENABLE_GSS
#undef USE_OPENSSL
#undef USE_SSL

#include "common/base64.h"
#include "fmgr.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"

#if PG_VERSION_NUM < 150000
#error "pgvalet needs PostgreSQL 15 or newer"
#endif

/* The server finds SQL functions by name: they are to be seen from outside. */
#if PG_VERSION_NUM < 160000
#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(name) \
extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
extern PGDLLEXPORT const Pg_finfo_record *CppConcat(pg_finfo_, name) (void); \
const Pg_finfo_record * \
CppConcat(pg_finfo_, name) (void) \
{ \
	static const Pg_finfo_record info = {1}; \
	return &info; \
} \
extern int	no_such_variable
#endif

/* Our place in the array of all backends, from 0 to MaxBackends - 1. */
static inline int
pgv_my_backend_index(void)
{
#if PG_VERSION_NUM >= 170000
	return GetNumberFromPGProc(MyProc);
#else
	return MyProc->pgprocno;
#endif
}

/* Connections out of max_connections that ordinary roles cannot have. */
static inline int
pgv_reserved_connections(void)
{
#if PG_VERSION_NUM >= 160000
	return SuperuserReservedConnections + ReservedConnections;
#else
	return ReservedBackends;
#endif
}

/* All configuration variables; give them back with pgv_guc_variables_free(). */
static inline struct config_generic **
pgv_guc_variables(int *count)
{
#if PG_VERSION_NUM >= 160000
	return get_guc_variables(count);
#else
	*count = GetNumConfigOptions();
	return get_guc_variables();
#endif
}

static inline void
pgv_guc_variables_free(struct config_generic **variables)
{
#if PG_VERSION_NUM >= 160000
	pfree(variables);
#endif
}

/* The hash table of these variables, where nobody tells their number. */
#if PG_VERSION_NUM >= 160000
#define PGV_GUC_TABLE "GUC hash table"
#endif

/* What is behind lastval() and currval(): SeqTableData of commands/sequence.c, 15 to 18. */
typedef struct PgvSequenceState
{
	Oid			relid;			/* hash key */
	Oid			file_number;
	LocalTransactionId lxid;
	bool		last_valid;
	int64		last;
	int64		cached;
	int64		increment;
} PgvSequenceState;

#if PG_VERSION_NUM >= 190000
#error "look whether SeqTableData is what PgvSequenceState says"
#endif

static inline int
pgv_b64_decode(const char *src, int len, char *dst, int dst_len)
{
#if PG_VERSION_NUM >= 180000
	return pg_b64_decode(src, len, (uint8 *) dst, dst_len);
#else
	return pg_b64_decode(src, len, dst, dst_len);
#endif
}

#endif							/* PGV_PG_COMPAT_H */
