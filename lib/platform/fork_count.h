/* A number for each forked child, never the same for two of one family: those that
 * were forked, without exec, one from another. */
#ifndef LOCKGRAPH_PLATFORM_FORK_COUNT_H
#define LOCKGRAPH_PLATFORM_FORK_COUNT_H

#include <stdbool.h>
#include <stdint.h>

/* By the first process of a family: maps the page that all of it share.  Later calls do
 * nothing. */
void lgp_fork_count_start(void);
/* By a child: from 0.  False: the page could not be mapped.  Async-signal-safe. */
bool lgp_fork_count_next(uint32_t *number);

#endif
