/*-------------------------------------------------------------------------
 *
 * agent_clients.h
 *	  Who is behind the connections of agents, as the agents tell it.
 *
 * An agent tells it now and then, not per transaction: pgvalet.report_clients().
 *
 * Writer	The function that the agent calls, under PGV_LOCK_CLIENTS.
 * Readers	Any process, from a copy.
 * Lifetime	One entry per slot, made at server start.  An entry of a session that
 *			has ended stands until the next report: compare connected_at.
 *
 * extension/src/stats/agent_clients.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_AGENT_CLIENTS_H
#define PGV_AGENT_CLIENTS_H

#include "postgres.h"

#include "base/part.h"
#include "datatype/timestamp.h"
#include "stats/backend_slot.h"

typedef struct PgvAgentClient
{
	TimestampTz connected_at;	/* of the backend's session, 0 = none */
	TimestampTz reported_at;	/* when the agent said so */
	TimestampTz leased_since;	/* when the client got the connection, 0 = no
								 * client has it */
	int32		client_port;	/* TCP port of the client, -1 = Unix socket */
	char		client_addr[PGV_CLIENT_ADDR_BYTES]; /* "" = Unix socket */
	char		application_name[NAMEDATALEN];
} PgvAgentClient;

/* What an agent says of one of its connections; client.connected_at means nothing. */
typedef struct PgvAgentReport
{
	int32		pid;			/* backend */
	PgvAgentClient client;
} PgvAgentReport;

/* The part of shared memory that they are. */
extern const PgvPart pgv_agent_clients_part;

/*
 * Takes over a whole report of now: connections of this agent that are not in it have no
 * client.  Reports about connections of others are left out.  Sorts the reports.
 * Returns how many were taken over.
 */
extern int	pgv_agent_clients_report(const char *agent_name, PgvAgentReport *reports, int count,
									 TimestampTz now);

/* A copy of all entries in the current memory context, by index of slot. */
extern PgvAgentClient *pgv_agent_clients_copy(void);

#endif							/* PGV_AGENT_CLIENTS_H */
