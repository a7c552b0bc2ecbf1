/* A part of the runtime's state, as a forked child looks at it.
 *
 * Nothing of ours is locked around fork: the program's own fork handlers run
 * meanwhile, and may wait for a thread that waits for us.  Instead the child
 * looks at the locks: where one was held by another thread at that moment, what
 * it protects may be half changed, and the child begins with nothing. */
#ifndef LOCKGRAPH_PLATFORM_PART_H
#define LOCKGRAPH_PLATFORM_PART_H

#include <stdbool.h>
#include <string.h>

#include "platform/futex_lock.h"

struct lgp_part {
    struct lgp_lock *lock; /* NULL: protected by another part's lock */
    void *state;           /* zeroed to forget it; its memory is not given back */
    size_t size;
};

static inline bool lgp_part_intact(const struct lgp_part *part) {
    return part->lock == NULL || atomic_load_explicit(&part->lock->state, memory_order_relaxed) == 0;
}
static inline void lgp_part_forget(const struct lgp_part *part) {
    memset(part->state, 0, part->size);
    if (part->lock != NULL)
        atomic_store_explicit(&part->lock->state, 0, memory_order_relaxed);
}

#endif
