/* What the hot paths of all kinds of lock have in common: the second look at a
 * chain that the first one did not find known, and writing down a hold. */
#ifndef LOCKGRAPH_ENGINE_HOT_PATH_H
#define LOCKGRAPH_ENGINE_HOT_PATH_H

#include "engine/context.h"
#include "engine/context_cache.h"
#include "engine/known.h"

struct lge_second_look {
    uint64_t key;
    uint32_t context;
    bool nested;
    bool known; /* nothing of it is new: the lock may be taken without a check */
};

/* Known after all: the chain is in its far line, the call site is inside a
 * lock wrapper, whose caller is part of the key, or others are locked under it. */
static inline struct lge_second_look lge_look_again(const struct lge_thread *thread, uint64_t id,
                                                    uint8_t mode, uintptr_t site, uintptr_t sp) {
    const struct lge_held *top = thread->top;
    struct lge_second_look look = {.nested = top != thread->base};
    look.context = lge_site_wrapper(site) ? lge_context_cached(thread, site, sp) : 0;
    if (look.context == 0 && lge_site_wants_context(site))
        return look;
    look.key = lge_chain_key(top->key, id, mode, lge_place(site, look.context));
    look.known = !look.nested || lge_known(thread, top->key, look.key) ||
                 lge_known_at(thread, lge_known_far(thread, look.key), look.key);
    lge_known_fetch(thread, look.key);
    return look;
}

/* lge_push, counted.  The caller has made sure that there is room; `nested`:
 * another lock is held. */
__attribute__((always_inline)) static inline void lge_hold(struct lge_thread *thread, uint64_t key,
                                                           uint64_t id, const void *address, uintptr_t site,
                                                           uintptr_t sp, uint32_t context, uint8_t mode,
                                                           uint8_t kind, uint8_t attributes, bool nested) {
    if (nested)
        lge_count(&thread->nested, 1);
    lge_push(thread, key, id, address, site, sp, context, mode, kind, attributes);
}

#endif
