/*-------------------------------------------------------------------------
 *
 * process_cpu.c
 *	  How much CPU another process has used.
 *
 * Linux has three clocks per process, whose numbers are made of the process id
 * (include/linux/posix-timers.h).  One is exact; the other two count user and all
 * time by timer ticks, and give the shares.  getrusage() does the same.
 *
 * extension/src/base/process_cpu.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "base/process_cpu.h"
#include "datatype/timestamp.h"

#ifdef __linux__

/* Which clock, in the lowest two bits of its number. */
#define CLOCK_TICKS_ALL 0
#define CLOCK_TICKS_USER 1
#define CLOCK_EXACT_ALL 2

static bool
read_clock(int pid, int which, int64 *us)
{
	clockid_t	clock = (clockid_t) (~(uint32) pid << 3 | (uint32) which);
	struct timespec time;

	if (clock_gettime(clock, &time) != 0)
		return false;
	*us = (int64) time.tv_sec * USECS_PER_SEC + time.tv_nsec / 1000;
	return true;
}

bool
pgv_process_cpu(int pid, int64 *user_us, int64 *system_us)
{
	int64		exact_us;
	int64		ticks_us;
	int64		user_ticks_us;

	if (!read_clock(pid, CLOCK_EXACT_ALL, &exact_us) ||
		!read_clock(pid, CLOCK_TICKS_USER, &user_ticks_us) ||
		!read_clock(pid, CLOCK_TICKS_ALL, &ticks_us))
		return false;
	/* Before the first tick nobody knows. */
	*user_us = ticks_us <= 0 ? exact_us :
		(int64) ((double) exact_us * Min(user_ticks_us, ticks_us) / ticks_us);
	*system_us = exact_us - *user_us;
	return true;
}

#else

bool
pgv_process_cpu(int pid, int64 *user_us, int64 *system_us)
{
	return false;
}

#endif							/* __linux__ */
