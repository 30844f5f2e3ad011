/*-------------------------------------------------------------------------
 *
 * backend_sample.c
 *	  What can only be seen of a backend from outside, now and then.
 *
 * extension/src/stats/backend_sample.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "base/process_cpu.h"
#include "stats/backend_sample.h"
#include "stats/backend_slot.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#define SHORTEST_INTERVAL_MS 10
#define LONGEST_INTERVAL_MS 3600000

/* The class stands in the highest byte of a wait event. */
#define CLASS_OF_EVENT(event) ((event) & UINT32_C(0xFF000000))

static int	sample_interval_ms = 1000;

/* MaxBackends samples. */
static PgvBackendSample *samples = NULL;

/* When the collector, which we are then, took its last sample; 0 = not yet. */
static TimestampTz last_sample_at = 0;

void
pgv_backend_samples_define_settings(void)
{
	DefineCustomIntVariable("pgvalet.sample_interval",
							"How often CPU time and waits of the backends are sampled.",
							"0 turns it off.",
							&sample_interval_ms,
							1000, 0, LONGEST_INTERVAL_MS,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);
}

static Size
samples_size(void)
{
	return mul_size(MaxBackends, sizeof(PgvBackendSample));
}

static void
samples_make(void)
{
	bool		found;

	samples = ShmemInitStruct("pgvalet backend samples", samples_size(), &found);
	if (!found)
		memset(samples, 0, samples_size());
}

/* Forgets the waits; CPU time is what the operating system says. */
static void
samples_reset(void)
{
	LWLockAcquire(pgv_lock(PGV_LOCK_SAMPLES), LW_EXCLUSIVE);
	for (int i = 0; i < MaxBackends; i++)
		memset(samples[i].class_us, 0, sizeof(samples[i].class_us));
	LWLockRelease(pgv_lock(PGV_LOCK_SAMPLES));
}

static PgvWaitClass
class_of(uint32 wait_event)
{
	if (wait_event == 0)
		return PGV_WAIT_NONE;
	switch (CLASS_OF_EVENT(wait_event))
	{
		case PG_WAIT_LOCK:
			return PGV_WAIT_LOCK;
		case PG_WAIT_LWLOCK:
			return PGV_WAIT_LWLOCK;
		case PG_WAIT_IO:
			return PGV_WAIT_IO;
		case PG_WAIT_IPC:
			return PGV_WAIT_IPC;
		case PG_WAIT_CLIENT:
			return PGV_WAIT_CLIENT;
		case PG_WAIT_TIMEOUT:
			return PGV_WAIT_TIMEOUT;
		default:
			return PGV_WAIT_OTHER;
	}
}

/* Gives what was not attributed yet of the active time to a class. */
static void
attribute(PgvBackendSample *sample, const PgvBackendSlot *slot, PgvWaitClass class, TimestampTz now)
{
	PgvUsage	usage = slot->usage;
	int64		more_us;

	pgv_slot_add_running_time(slot, &usage, now);
	more_us = usage.active_us - sample->attributed_us;
	if (more_us <= 0)
		return;
	sample->class_us[class] += more_us;
	sample->attributed_us = usage.active_us;
}

/* Takes a sample of one backend, if it has done anything since the last one. */
static void
take_sample(int index, TimestampTz now)
{
	PgvBackendSample *sample = &samples[index];
	uint32		wait_event = *(volatile uint32 *) &GetPGProcByNumber(index)->wait_event_info;
	PgvBackendSlot slot;
	bool		is_same;
	bool		is_at_work;
	bool		has_cpu;
	int64		user_us;
	int64		system_us;

	if (!pgv_slot_copy(index, &slot) || slot.phase != PGV_SLOT_LIVE)
		return;
	is_same = (sample->connected_at == slot.connected_at);

	/* Read before the state: what began before now was going on then. */
	is_at_work = (slot.state == PGV_STATE_ACTIVE && slot.state_since <= now);
	if (is_same && slot.state != PGV_STATE_ACTIVE && slot.state_since < sample->sampled_at)
		return;
	has_cpu = pgv_process_cpu(slot.pid, &user_us, &system_us);

	LWLockAcquire(pgv_lock(PGV_LOCK_SAMPLES), LW_EXCLUSIVE);
	if (!is_same)
	{
		memset(sample, 0, sizeof(*sample));
		sample->connected_at = slot.connected_at;
	}
	if (has_cpu)
	{
		sample->cpu_user_us = Max(user_us, sample->cpu_user_us);
		sample->cpu_system_us = Max(system_us, sample->cpu_system_us);
		sample->sampled_at = now;
	}
	if (is_at_work)
		attribute(sample, &slot, class_of(wait_event), now);
	LWLockRelease(pgv_lock(PGV_LOCK_SAMPLES));
}

static long
samples_upkeep(TimestampTz now)
{
	int64		interval_us = (int64) Max(sample_interval_ms, SHORTEST_INTERVAL_MS) * 1000;
	int64		waited_us = now - last_sample_at;

	if (sample_interval_ms == 0)
		return PGV_NO_UPKEEP;
	/* A clock that was set back must not keep us from sampling. */
	if (waited_us >= 0 && waited_us < interval_us)
		return (interval_us - waited_us + 999) / 1000;

	last_sample_at = now;
	for (int i = 0; i < MaxBackends; i++)
		take_sample(i, now);
	return interval_us / 1000;
}

PgvBackendSample *
pgv_backend_samples_copy(void)
{
	PgvBackendSample *copy = palloc(samples_size());

	LWLockAcquire(pgv_lock(PGV_LOCK_SAMPLES), LW_SHARED);
	memcpy(copy, samples, samples_size());
	LWLockRelease(pgv_lock(PGV_LOCK_SAMPLES));
	return copy;
}

const PgvPart pgv_backend_samples_part = {
	.name = "waits",
	.size = samples_size,
	.make = samples_make,
	.reset = samples_reset,
	.upkeep = samples_upkeep,
};
