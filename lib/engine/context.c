#include "engine/context.h"
#include "engine/lifecycle.h"

#include <string.h>

#include "engine/map.h"
#include "engine/mix.h"
#include "engine/recorded_modules.h"
#include "engine/thread.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

enum { CONTEXTS_PER_PAGE = 1024, CONTEXT_PAGES = 65536, MOST_FRAMES = 64 };

_Atomic uint8_t lge_sites[LGE_SITES];

static struct {
    struct lgp_lock lock; /* protects by_hash and adding */
    struct lge_map by_hash;
    _Atomic uint32_t count;
    uint32_t stack_depth;
    uint64_t bytes, most_bytes; /* taken by contexts; 0: no limit */
    /* Pages of pointers, so that lge_context_get needs no lock: a page and an
     * entry are stored (release) before the id is handed out. */
    _Atomic(struct lge_context **) pages[CONTEXT_PAGES];
} contexts = {.stack_depth = 24};

void lge_context_start(uint32_t stack_depth, uint64_t most_bytes) {
    contexts.most_bytes = most_bytes;
    contexts.stack_depth = stack_depth == 0 ? 1 : stack_depth > MOST_FRAMES ? MOST_FRAMES : stack_depth;
}

uint32_t lge_context_depth(void) { return contexts.stack_depth; }

uint64_t lge_context_count(void) { return atomic_load_explicit(&contexts.count, memory_order_relaxed); }

struct lge_context *lge_context_get(uint32_t id) {
    if (id == 0 || id > atomic_load_explicit(&contexts.count, memory_order_acquire))
        return NULL;
    struct lge_context **page =
        atomic_load_explicit(&contexts.pages[(id - 1) / CONTEXTS_PER_PAGE], memory_order_acquire);
    return page[(id - 1) % CONTEXTS_PER_PAGE];
}

static size_t size_of(size_t count) { return sizeof(struct lge_context) + count * sizeof(uintptr_t); }

static uint64_t hash_of(const uintptr_t *frames, size_t count, bool partial) {
    uint64_t hash = lge_mix(count, partial);
    for (size_t i = 0; i < count; i++)
        hash = lge_mix(hash, frames[i]);
    return hash;
}

/* Since it was made something may have been unloaded, and other code may be there
 * now. */
static bool means_the_same(struct lge_context *context) {
    uint32_t now = atomic_load_explicit(&lge_modules_epoch, memory_order_relaxed);
    uint32_t then = atomic_load_explicit(&context->epoch, memory_order_relaxed);
    if (then == now)
        return true;
    if (!lge_recorded_modules_same(context->frames, context->count, then))
        return false;
    atomic_store_explicit(&context->epoch, now, memory_order_relaxed);
    return true;
}

static struct lge_context *find(uint64_t hash, const uintptr_t *frames, size_t count, bool partial) {
    for (size_t i = lge_map_first(&contexts.by_hash, hash); i != SIZE_MAX;
         i = lge_map_next(&contexts.by_hash, i)) {
        struct lge_context *context = lge_map_at(&contexts.by_hash, i);
        if (context->count == count && context->partial == partial &&
            memcmp(context->frames, frames, count * sizeof frames[0]) == 0 && means_the_same(context))
            return context;
    }
    return NULL;
}

static struct lge_context **page_of(uint32_t index) {
    _Atomic(struct lge_context **) *slot = &contexts.pages[index / CONTEXTS_PER_PAGE];
    struct lge_context **page = atomic_load_explicit(slot, memory_order_relaxed);
    if (page == NULL) {
        page = lgp_alloc(CONTEXTS_PER_PAGE * sizeof(struct lge_context *));
        atomic_store_explicit(slot, page, memory_order_release);
    }
    return page;
}

static struct lge_context *add(uint64_t hash, const uintptr_t *frames, size_t count, bool partial) {
    uint32_t index = atomic_load_explicit(&contexts.count, memory_order_relaxed);
    if (index / CONTEXTS_PER_PAGE >= CONTEXT_PAGES)
        return NULL;
    struct lge_context **page = page_of(index);
    struct lge_context *context = lgp_alloc(size_of(count));
    if (page == NULL || context == NULL || !lge_map_add(&contexts.by_hash, hash, context))
        return NULL;
    contexts.bytes += size_of(count);
    context->id = index + 1;
    atomic_store_explicit(&context->epoch, atomic_load_explicit(&lge_modules_epoch, memory_order_relaxed),
                          memory_order_relaxed);
    context->count = (uint16_t)count;
    context->partial = partial;
    memcpy(context->frames, frames, count * sizeof frames[0]);
    page[index % CONTEXTS_PER_PAGE] = context;
    /* Release: pairs with the acquire load in lge_context_get. */
    atomic_store_explicit(&contexts.count, index + 1, memory_order_release);
    return context;
}

uint32_t lge_context_intern(const uintptr_t *frames, size_t count, bool partial) {
    if (count == 0)
        return 0;
    if (count > contexts.stack_depth)
        count = contexts.stack_depth;
    uint64_t hash = hash_of(frames, count, partial);
    lgp_lock(&contexts.lock);
    struct lge_context *context = find(hash, frames, count, partial);
    bool full =
        context == NULL && count > 1 && contexts.most_bytes != 0 && contexts.bytes > contexts.most_bytes;
    if (context == NULL && !full)
        context = add(hash, frames, count, partial);
    lgp_unlock(&contexts.lock);
    if (full)
        return lge_context_intern(frames, 1, true);
    return context == NULL ? 0 : context->id;
}

uint32_t lge_context_head(uint32_t id, size_t count) {
    struct lge_context *context = lge_context_get(id);
    if (context == NULL || context->count <= count)
        return id;
    return lge_context_intern(context->frames, count, context->partial);
}

void lge_contexts_reset(void) {
    uint32_t count = atomic_load_explicit(&contexts.count, memory_order_relaxed);
    for (uint32_t id = 1; id <= count; id++) {
        struct lge_context *context = lge_context_get(id);
        lgp_free(context, size_of(context->count));
    }
    for (size_t i = 0; i * CONTEXTS_PER_PAGE < count; i++) {
        lgp_free(contexts.pages[i], CONTEXTS_PER_PAGE * sizeof(struct lge_context *));
        atomic_store_explicit(&contexts.pages[i], NULL, memory_order_relaxed);
    }
    lge_map_clear(&contexts.by_hash);
    atomic_store_explicit(&contexts.count, 0, memory_order_relaxed);
    contexts.bytes = 0;
    for (size_t i = 0; i < LGE_SITES; i++)
        atomic_store_explicit(&lge_sites[i], 0, memory_order_relaxed);
}

struct lgp_part lge_contexts_part(void) {
    return (struct lgp_part){&contexts.lock, (void *)&contexts, sizeof contexts};
}
