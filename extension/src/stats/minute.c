/*-------------------------------------------------------------------------
 *
 * minute.c
 *	  How long a minute is.
 *
 * extension/src/stats/minute.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "stats/minute.h"
#include "utils/guc.h"

/* pgvalet.minute_ms */
static int	minute_ms = 60000;

void
pgv_minute_define_settings(void)
{
	DefineCustomIntVariable("pgvalet.minute_ms",
							"How long a minute of pgvalet.history and pgvalet.io_rates is.",
							"For tests, which do not want to wait; everybody else leaves it as it is.",
							&minute_ms,
							60000, 60, 60000,
							PGC_POSTMASTER, GUC_UNIT_MS | GUC_NOT_IN_SAMPLE,
							NULL, NULL, NULL);
}

int64
pgv_minute_us(void)
{
	return (int64) minute_ms * 1000;
}

int64
pgv_step_us(void)
{
	return pgv_minute_us() / PGV_STEPS_PER_MINUTE;
}

TimestampTz
pgv_minute_end(TimestampTz now)
{
	return (now / pgv_minute_us() + 1) * pgv_minute_us();
}

TimestampTz
pgv_step_end(TimestampTz now)
{
	return (now / pgv_step_us() + 1) * pgv_step_us();
}
