/*-------------------------------------------------------------------------
 *
 * process_cpu.h
 *	  How much CPU another process has used.
 *
 * extension/src/base/process_cpu.h
 *-------------------------------------------------------------------------
 */
#ifndef PGV_PROCESS_CPU_H
#define PGV_PROCESS_CPU_H

#include "postgres.h"

/*
 * CPU time of a process since its start, in user mode and in the kernel,
 * microseconds.  Returns false if there is no such process, or if this operating
 * system does not tell.  Costs three system calls and opens no file.
 */
extern bool pgv_process_cpu(int pid, int64 *user_us, int64 *system_us);

#endif							/* PGV_PROCESS_CPU_H */
