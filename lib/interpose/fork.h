#ifndef LOCKGRAPH_INTERPOSE_FORK_H
#define LOCKGRAPH_INTERPOSE_FORK_H

/* Registers the fork handlers; from the constructor. */
void lgi_fork_start(void);

#endif
