/*-------------------------------------------------------------------------
 *
 * sql_common.h
 *	  What the functions under the views have in common.
 *
 * A function may be called by whoever has EXECUTE on it, view or not, so what a
 * role may see is decided in the function.
 *
 * extension/src/sql/sql_common.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_SQL_COMMON_H
#define PGV_SQL_COMMON_H

#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "stats/aggregate.h"
#include "stats/usage.h"

/* Without preloading there is no shared memory to read: that is an error. */
extern void pgv_require_preloaded(void);

/* Text, or NULL for "". */
extern void pgv_put_text(Datum *value, bool *is_null, const char *text);

/* Type inet, or NULL for "". */
extern void pgv_put_inet(Datum *value, bool *is_null, const char *address);

/* A time, or NULL for 0. */
extern void pgv_put_time(Datum *value, bool *is_null, TimestampTz time);

/* An object's id, or NULL for InvalidOid. */
extern void pgv_put_oid(Datum *value, bool *is_null, Oid id);

/* The counters, into consecutive columns. */
extern void pgv_put_usage(Datum *values, const PgvUsage *usage);

/* The dimension with this name, or an error. */
extern PgvDimension pgv_dimension_of(const char *name);

/*
 * Which entry a row is of, into two columns: id of role or database, or else the
 * name of an application or of the overflow entry.
 */
extern void pgv_put_aggregate_key(Datum *values, bool *nulls, const PgvAggregateRow *row,
								  PgvDimension dimension);

/* An interval of so many microseconds, in days and less. */
extern Datum pgv_interval(int64 microseconds);

#endif							/* PGV_SQL_COMMON_H */
