/*-------------------------------------------------------------------------
 *
 * pg_compat.h
 *	  What differs between PostgreSQL 15, 16, 17 and 18, behind one name each.
 *
 * This is the only file that looks at PG_VERSION_NUM.
 *
 * extension/src/pg_compat.h
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

#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "storage/proc.h"

#if PG_VERSION_NUM < 150000
#error "pgvalet needs PostgreSQL 15 or newer"
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

#endif							/* PGV_PG_COMPAT_H */
