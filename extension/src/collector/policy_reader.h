/*-------------------------------------------------------------------------
 *
 * policy_reader.h
 *	  Reads pgvalet.idle_policy and pgvalet.connection_budget and puts their rows
 *	  in force.
 *
 * It runs with the rights of a superuser, so it reads nothing but tables that
 * belong to the extension pgvalet, each with the rights of its owner
 * (policy/owner_select.h).
 *
 * extension/src/collector/policy_reader.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_POLICY_READER_H
#define PGV_POLICY_READER_H

#include "postgres.h"

typedef enum PgvReading
{
	PGV_READING_DONE,			/* what the tables say is in force, or they are not there */
	PGV_READING_AGAIN			/* it has to be tried, or looked at, again */
} PgvReading;

/*
 * Reads both tables of this database.
 *
 * Waits for a lock a fifth of a second at most.  Raises no error: what went wrong stands in the status
 * (policy_table.h) and, if it is new, in the server log.
 *
 * REQUIRES: a process connected to the database, no transaction.
 */
extern PgvReading pgv_policy_reader_read(void);

#endif							/* PGV_POLICY_READER_H */
