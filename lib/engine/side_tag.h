/* Tags of locks that have no room for one, kept beside them: a set of tags
 * chosen by the lock's address, in front of the side table of identity.h.
 *
 * A tag tells by itself which address it is for, so a look-up takes no lock: it
 * finds the right id or none, and then the side table is asked.
 *
 * | tags           | as those in locks: identity.h                              |
 * | lge_side_tags  | written under the identity lock (release); a smaller array |
 * |                | stays mapped, because somebody may be reading it           | */
#ifndef LOCKGRAPH_ENGINE_SIDE_TAG_H
#define LOCKGRAPH_ENGINE_SIDE_TAG_H

#include "engine/identity.h"

enum { LGE_SIDE_WAYS = 2 };

struct lge_side_tags {
    uint64_t shift; /* 2 to the power of 64 minus this sets */
    struct lge_side_tags *smaller;
    _Alignas(32) struct lge_tag tags[]; /* a set is in one cache line */
};
extern _Atomic(struct lge_side_tags *) lge_side_tags;

static inline struct lge_tag *lge_side_set(struct lge_side_tags *side, const void *address) {
    /* Fibonacci hashing: the upper bits spread any stride. */
    uint64_t set = (uint64_t)(uintptr_t)address * 0x9e3779b97f4a7c15u >> side->shift;
    return &side->tags[set * LGE_SIDE_WAYS];
}

/* The id of the lock at `address`, or 0: ask the side table. */
static inline uint64_t lge_side_id(const void *address) {
    struct lge_side_tags *side = atomic_load_explicit(&lge_side_tags, memory_order_acquire);
    const struct lge_tag *set = lge_side_set(side, address);
    uint64_t id = lge_tag_id(&set[0], address);
    return id != 0 ? id : lge_tag_id(&set[1], address);
}

/* Under the identity lock.  `known`: addresses in the side table, by which the
 * tags are made more. */
void lge_side_put(const void *address, uint64_t id, size_t known);
void lge_side_forget(const void *address);
/* Nothing is known; what there was is not given back. */
void lge_side_start(void);
void lge_side_reset(void);

#endif
