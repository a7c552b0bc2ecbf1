/* Pins: mutexes that must not be given up for now. */
#ifndef LOCKGRAPH_WRAPPER_PIN_H
#define LOCKGRAPH_WRAPPER_PIN_H

#include <stdint.h>

#include "lockgraph/mutex.h"

/* Before the calling thread gives `m` up: 0, or EBUSY where it is pinned and that is
 * refused. */
int lgw_unpinned(const lg_mutex_t *m, uintptr_t site, uintptr_t sp);

#endif
