/*-------------------------------------------------------------------------
 *
 * client_wait.c
 *	  Sessions that wait for their client in the middle of a command.
 *
 * extension/src/policy/client_wait.c
 *-------------------------------------------------------------------------
 */
#include "base/pg_compat.h"

#include "commands/progress.h"
#include "policy/client_wait.h"
#include "storage/proc.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/wait_event.h"

static bool
waits_for_client(int index, const PgvBackendSlot *slot)
{
	volatile PgBackendStatus *status = slot->status;

	return slot->state == PGV_STATE_ACTIVE &&
		*(volatile uint32 *) &GetPGProcByNumber(index)->wait_event_info == WAIT_EVENT_CLIENT_READ &&
		status->st_progress_command != PROGRESS_COMMAND_COPY;
}

TimestampTz
pgv_client_wait_look(PgvClientWait *wait, int index, const PgvBackendSlot *slot, TimestampTz now)
{
	/* Of the message that it treated last. */
	TimestampTz statement_start = pgv_slot_statement_start(slot);

	if (!waits_for_client(index, slot))
		wait->since = 0;
	else if (wait->since == 0 || wait->pid != slot->pid || wait->since < statement_start)
		wait->since = now;
	wait->pid = slot->pid;
	return wait->since;
}
