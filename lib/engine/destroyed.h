/* Locks that were destroyed lately, by address: who did it, and where, for the
 * day somebody uses one.  The newest few thousand are kept. */
#ifndef LOCKGRAPH_ENGINE_DESTROYED_H
#define LOCKGRAPH_ENGINE_DESTROYED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lge_destroyed {
    const void *address;
    uint64_t lock;
    uintptr_t site;
    uint32_t context; /* 0: `site` is all that is known */
    uint32_t thread;  /* serial */
};

void lge_destroyed_put(const struct lge_destroyed *destroyed);
/* False when it is not (no longer) known.  Its context is never 0. */
bool lge_destroyed_get(const void *address, struct lge_destroyed *destroyed);
/* Those between the addresses are not known any more: their memory goes. */
void lge_destroyed_unmapped(const void *start, size_t size);
void lge_destroyed_reset(void);

#endif
