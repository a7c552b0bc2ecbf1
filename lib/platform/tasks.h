/* What the kernel knows of this process: its threads, whether they sleep, which
 * signal handlers it has, which memory others see, too.  Read from /proc/self
 * and by rt_sigaction: nothing is remembered, nothing allocated for long. */
#ifndef LOCKGRAPH_PLATFORM_TASKS_H
#define LOCKGRAPH_PLATFORM_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lgp_task_state {
    LGP_TASK_GONE,   /* no such thread, or it is past all code of the program */
    LGP_TASK_SLEEPS, /* it waits in the kernel and nobody has woken it */
    LGP_TASK_RUNS    /* anything else */
};
enum lgp_task_state lgp_task_state(uint32_t tid);

/* Calls `each` for every thread of the process until it says false.  False: it
 * did, or the kernel does not tell. */
bool lgp_tasks_each(bool (*each)(uint32_t tid, void *user), void *user);

/* Whether a signal that comes from outside has a handler of the program's: not
 * those of libc itself, and not those of faults. */
bool lgp_handlers_installed(void);

/* Calls `each` for every mapping that other processes may share, until it says
 * false.  False: it did, or the kernel does not tell. */
bool lgp_shared_mappings_each(bool (*each)(uintptr_t start, uintptr_t end, void *user), void *user);
/* Whether that address is in one of them, or the kernel does not tell.  Reads a file. */
bool lgp_memory_shared(const void *address);

#endif
