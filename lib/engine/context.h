/* Call contexts: stacks of return addresses, interned to small ids, and the
 * ways to learn one without unwinding.
 *
 * - A held lock whose taking function is still on the stack needs nothing at
 *   acquisition: its context is the tail of a later unwinding.
 * - A call site whose function returns while the lock is held (a lock wrapper,
 *   a guard that was not inlined) must be captured at acquisition.  Sites are
 *   captured for their first uses, then judged: lge_site.
 * - Capturing looks first into a per-thread cache keyed by (site, stack
 *   pointer) whose entries keep the stack slots of the first return addresses;
 *   a hit re-reads them, because two callers with equal frame sizes share the
 *   key. */
#ifndef LOCKGRAPH_ENGINE_CONTEXT_H
#define LOCKGRAPH_ENGINE_CONTEXT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

struct lge_context {
    uint32_t id;
    uint32_t recorded; /* evidence generation in which it was written; graph or context lock */
    uint16_t count;
    uint16_t partial;
    _Atomic uint32_t epoch; /* of the modules, in which its frames mean what they did; relaxed */
    uintptr_t frames[];
};

/* What is known of a call site, by hash; collisions only cost time or detail.
 * LGE_SITE_PLAIN: its function was on the stack when asked, nothing to capture.
 * LGE_SITE_OUTER: plain, and other locks are taken under what is taken there, in a
 * thread that knows many chains: what it knows of these is fetched early.
 * LGE_SITE_WRAPPER: captured at every acquisition.  Smaller values: new,
 * counting its first uses, which are captured.  Relaxed: a stale value costs
 * one capture more or less. */
enum { LGE_SITES = 8192, LGE_SITE_WRAPPER = 253, LGE_SITE_OUTER = 254, LGE_SITE_PLAIN = 255 };
extern _Atomic uint8_t lge_sites[LGE_SITES] __attribute__((visibility("hidden")));

static inline _Atomic uint8_t *lge_site(uintptr_t site) {
    return &lge_sites[(site ^ site >> 13) % LGE_SITES];
}
static inline bool lge_site_plain(uintptr_t site) {
    return atomic_load_explicit(lge_site(site), memory_order_relaxed) == LGE_SITE_PLAIN;
}

/* Neither plain nor outer. */
static inline bool lge_site_wants_context(uintptr_t site) {
    return atomic_load_explicit(lge_site(site), memory_order_relaxed) < LGE_SITE_OUTER;
}
static inline bool lge_site_wrapper(uintptr_t site) {
    return atomic_load_explicit(lge_site(site), memory_order_relaxed) == LGE_SITE_WRAPPER;
}

/* Past `most_bytes` (0: no limit) new stacks are kept as their innermost frame. */
void lge_context_start(uint32_t stack_depth, uint64_t most_bytes);
/* NULL for 0 or an unknown id. */
struct lge_context *lge_context_get(uint32_t id);
/* The context made of the innermost `count` frames of another. */
uint32_t lge_context_head(uint32_t id, size_t count);
uint64_t lge_context_count(void);
/* Frames kept per context. */
uint32_t lge_context_depth(void);

/* The calling thread's context at (site, sp), from the cache or by unwinding;
 * a one-frame partial context when nothing can be unwound. */
uint32_t lge_context_capture(struct lge_thread *thread, uintptr_t site, uintptr_t sp);
/* For an acquisition at a site that is not plain: captures and counts.  0 when
 * the site has become plain. */
uint32_t lge_context_at_site(struct lge_thread *thread, uintptr_t site, uintptr_t sp);
/* Gives every hold of the thread a context, and returns the one of (site, sp). */
uint32_t lge_context_resolve(struct lge_thread *thread, uintptr_t site, uintptr_t sp);

/* Something was unloaded: what this thread remembers of its stacks may be of other
 * code.  By every thread, when it next captures; by the one that unloaded, at once. */
void lge_context_forget_unloaded(struct lge_thread *thread);

void lge_context_cache_free(struct lge_thread *thread);
void lge_contexts_reset(void);

#endif
