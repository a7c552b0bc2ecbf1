#ifndef LOCKGRAPH_INTERPOSE_FORK_H
#define LOCKGRAPH_INTERPOSE_FORK_H

#include <stdbool.h>

/* Registers the fork handlers; from the constructor. */
void lgi_fork_start(void);
/* Whether this process is a forked child whose parent had us, too. */
bool lgi_forked(void);

#endif
