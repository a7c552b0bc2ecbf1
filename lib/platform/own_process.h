/* Tells this process from a copy of it that we did not see begin: a child of a raw
 * clone has the parent's memory, and what it appends to the parent's file lands on
 * what the parent appends.  Without a system call: a page that the kernel wipes in
 * copies (madvise(2), MADV_WIPEONFORK, Linux 4.14); where that is refused, by pid.
 * A child of vfork works in its parent's memory, and is no copy. */
#ifndef LOCKGRAPH_PLATFORM_OWN_PROCESS_H
#define LOCKGRAPH_PLATFORM_OWN_PROCESS_H

#include <stdbool.h>

/* The calling process is no copy from now on.  By its only thread. */
void lgp_own_process_begin(void);
/* By any thread, and in signal handlers.  False before anything began. */
bool lgp_own_process(void);

#endif
