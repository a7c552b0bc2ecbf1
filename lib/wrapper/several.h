/* lg_mutex_lock and lg_mutex_unlock for a function of ours that was called at (site, sp):
 * what is told of the lock is that place, not one in this library. */
#ifndef LOCKGRAPH_WRAPPER_SEVERAL_H
#define LOCKGRAPH_WRAPPER_SEVERAL_H

#include <stdint.h>

#include "lockgraph/mutex.h"

int lgw_mutex_lock_for(lg_mutex_t *m, uintptr_t site, uintptr_t sp);
void lgw_mutex_unlock_for(lg_mutex_t *m, uintptr_t site, uintptr_t sp);

#endif
