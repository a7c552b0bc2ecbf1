/* Calls that may block, made while a lock is held. */
#ifndef LOCKGRAPH_INTERPOSE_BLOCKING_H
#define LOCKGRAPH_INTERPOSE_BLOCKING_H

#include <stdint.h>

/* From the constructor, once everything else is up: what takes longer than that
 * under a lock is told; 0: nothing is, and each call is passed straight on. */
void lgi_blocking_start(uint64_t limit_ns);

#endif
