/* The checked context cache: a stack seen before at (site, stack pointer) is
 * recognised by re-reading the stack slots of its innermost return addresses.
 *
 * Two callers with equal frame sizes share site and stack pointer, so the
 * first return address above the site, whose slot is at a fixed distance for a
 * site, is part of the place in the cache.  Owner thread only; every slot read
 * lies between the stack pointer and the known top of this stack. */
#ifndef LOCKGRAPH_ENGINE_CONTEXT_CACHE_H
#define LOCKGRAPH_ENGINE_CONTEXT_CACHE_H

#include "engine/mix.h"
#include "engine/thread.h"

/* Four slots: the callers of a lock wrapper, told apart four levels up; six cost
 * half a bare pair more (docs/decisions.md). */
enum {
    LGE_CHECKED_SLOTS = 4,
    LGE_CACHE_SETS = 64,
    LGE_CACHE_WAYS = 4,
    LGE_CACHE_SITES = 64,
    LGE_CACHE_CLASSES = 64
};

/* Callers that share even the first return address share a set: the slow path
 * keeps what the first ways have no room for, still far cheaper than unwinding. */
enum { LGE_CACHE_BEHIND = 2 };

/* One cache line.  Unused slots repeat the first one, so that the comparison needs
 * no count. */
struct lge_cached_context {
    _Alignas(64) uintptr_t site;
    uintptr_t sp;
    uint32_t context;
    uint16_t slot[LGE_CHECKED_SLOTS]; /* words from sp */
    uintptr_t value[LGE_CHECKED_SLOTS];
};
_Static_assert(sizeof(struct lge_cached_context) == 64, "more than a cache line");
/* Distance of the first slot from the stack pointer, by site. */
struct lge_cached_site {
    uintptr_t site;
    uint32_t offset;
};
/* What class the locks have that are initialised there. */
struct lge_cached_class {
    uint32_t context; /* 0: none */
    uint32_t class_id;
};
struct lge_context_cache {
    struct lge_cached_site sites[LGE_CACHE_SITES];
    struct lge_cached_class initialised[LGE_CACHE_CLASSES];
    struct lge_cached_context entries[LGE_CACHE_SETS][LGE_CACHE_WAYS];
    struct lge_cached_context behind[LGE_CACHE_SETS][LGE_CACHE_BEHIND];
    uint8_t next[LGE_CACHE_SETS];
};

static inline struct lge_cached_site *lge_cached_site(struct lge_context_cache *cache, uintptr_t site) {
    return &cache->sites[(site ^ site >> 7) % LGE_CACHE_SITES];
}
static inline struct lge_cached_class *lge_cached_class(struct lge_context_cache *cache, uint32_t context) {
    return &cache->initialised[context % LGE_CACHE_CLASSES];
}
static inline size_t lge_cached_set(uintptr_t site, uintptr_t sp, uintptr_t first) {
    return (site ^ sp ^ (sp >> 9) ^ first ^ (first >> 5)) % LGE_CACHE_SETS;
}
static inline bool lge_cached_holds(const struct lge_cached_context *entry, uintptr_t site, uintptr_t sp) {
    if (entry->site != site || entry->sp != sp)
        return false;
    /* One after the other: the compiler would gather them for one comparison. */
    for (int i = 0; i < LGE_CHECKED_SLOTS; i++) {
        if (((const volatile uintptr_t *)sp)[entry->slot[i]] != entry->value[i])
            return false;
    }
    return true;
}
/* The set that (site, sp) belongs to, or LGE_CACHE_SETS. */
static inline size_t lge_cached_set_of(const struct lge_thread *thread, uintptr_t site, uintptr_t sp) {
    struct lge_context_cache *cache = thread->contexts;
    if (cache == NULL || !lge_on_own_stack(thread, sp))
        return LGE_CACHE_SETS;
    const struct lge_cached_site *known = lge_cached_site(cache, site);
    if (known->site != site || known->offset >= thread->stack_top - sp)
        return LGE_CACHE_SETS;
    return lge_cached_set(site, sp, *(const uintptr_t *)(sp + known->offset));
}
/* The context at (site, sp), or 0. */
static inline uint32_t lge_context_cached(const struct lge_thread *thread, uintptr_t site, uintptr_t sp) {
    size_t set = lge_cached_set_of(thread, site, sp);
    if (set == LGE_CACHE_SETS)
        return 0;
    const struct lge_cached_context *ways = thread->contexts->entries[set];
    for (int i = 0; i < LGE_CACHE_WAYS; i++)
        if (lge_cached_holds(&ways[i], site, sp))
            return ways[i].context;
    return 0;
}

#endif
