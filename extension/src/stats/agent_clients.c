/*-------------------------------------------------------------------------
 *
 * agent_clients.c
 *	  Who is behind the connections of agents.
 *
 * extension/src/stats/agent_clients.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "stats/agent_clients.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

/* A lease of the same client that began this close to the known one is the same. */
#define SAME_LEASE_US (USECS_PER_SEC / 10)

/* MaxBackends entries. */
static PgvAgentClient *clients = NULL;

static Size
clients_size(void)
{
	return mul_size(MaxBackends, sizeof(PgvAgentClient));
}

static void
clients_make(void)
{
	bool		found;

	clients = ShmemInitStruct("pgvalet agent clients", clients_size(), &found);
	if (!found)
		memset(clients, 0, clients_size());
}

const PgvPart pgv_agent_clients_part = {
	.name = "agent clients",
	.size = clients_size,
	.make = clients_make,
};

static int
compare_pids(const void *a, const void *b)
{
	int32		left = ((const PgvAgentReport *) a)->pid;
	int32		right = ((const PgvAgentReport *) b)->pid;

	return (left > right) - (left < right);
}

/*
 * Takes over one report.  When the client got the connection was reckoned back by
 * its age, which differs a little from one report to the next.
 */
static void
take_over(PgvAgentClient *client, const PgvAgentClient *reported, TimestampTz connected_at)
{
	TimestampTz known_since = client->leased_since;
	int64		differs_us = known_since - reported->leased_since;
	bool		is_same = (client->connected_at == connected_at &&
						   client->client_port == reported->client_port &&
						   strcmp(client->client_addr, reported->client_addr) == 0 &&
						   differs_us < SAME_LEASE_US && differs_us > -SAME_LEASE_US);

	*client = *reported;
	if (is_same)
		client->leased_since = known_since;
}

int
pgv_agent_clients_report(const char *agent_name, PgvAgentReport *reports, int count,
						 TimestampTz now)
{
	PgvAgentReport wanted;
	PgvBackendSlot slot;
	int			taken = 0;

	if (count > 0)
		qsort(reports, count, sizeof(PgvAgentReport), compare_pids);
	LWLockAcquire(pgv_lock(PGV_LOCK_CLIENTS), LW_EXCLUSIVE);
	for (int i = 0; i < MaxBackends; i++)
	{
		const PgvAgentReport *report = NULL;

		if (!pgv_slot_copy(i, &slot) || slot.phase != PGV_SLOT_LIVE ||
			strcmp(slot.agent_name, agent_name) != 0)
			continue;
		wanted.pid = slot.pid;
		if (count > 0)
			report = bsearch(&wanted, reports, count, sizeof(PgvAgentReport), compare_pids);
		if (report != NULL)
		{
			take_over(&clients[i], &report->client, slot.connected_at);
			taken++;
		}
		else
			memset(&clients[i], 0, sizeof(PgvAgentClient));
		clients[i].connected_at = slot.connected_at;
		clients[i].reported_at = now;
	}
	LWLockRelease(pgv_lock(PGV_LOCK_CLIENTS));
	return taken;
}

PgvAgentClient *
pgv_agent_clients_copy(void)
{
	PgvAgentClient *copy = palloc(clients_size());

	LWLockAcquire(pgv_lock(PGV_LOCK_CLIENTS), LW_SHARED);
	memcpy(copy, clients, clients_size());
	LWLockRelease(pgv_lock(PGV_LOCK_CLIENTS));
	return copy;
}
