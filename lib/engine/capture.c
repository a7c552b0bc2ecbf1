/* Contexts of the calling thread: the checked cache, unwinding, and matching
 * held locks with the frames of one unwinding. */
#include <string.h>

#include "engine/context.h"
#include "engine/context_cache.h"
#include "engine/known.h"
#include "engine/recorded_modules.h"
#include "engine/signal.h"
#include "engine/step_cache.h"
#include "engine/thread.h"
#include "platform/memory.h"
#include "platform/return_slot.h"
#include "platform/unwind.h"

enum { MOST_FRAMES = 64, FIRST_USES = 64 };

/* In this order: a child forked in between by another thread frees what its
 * copy of the block has. */
void lge_context_cache_free(struct lge_thread *thread) {
    struct lge_context_cache *gone = thread->contexts;
    thread->contexts = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    lgp_free(gone, sizeof *gone);
}

void lge_context_forget_unloaded(struct lge_thread *thread) {
    uint32_t epoch = atomic_load_explicit(&lge_modules_epoch, memory_order_relaxed);
    if (thread->modules_epoch == epoch)
        return;
    thread->modules_epoch = epoch;
    if (thread->contexts != NULL)
        memset(thread->contexts, 0, sizeof *thread->contexts);
    if (thread->steps != NULL)
        memset(thread->steps, 0, sizeof *thread->steps);
}

/* The slots may be re-read later only where they are certain to be mapped:
 * between the stack pointer and the known top of this thread's stack. */
static bool may_cache(const struct lge_thread *thread, const struct lgp_frame *frames, size_t count,
                      uintptr_t sp) {
    return lge_on_own_stack(thread, sp) && count > 1 && frames[count - 1].sp <= thread->stack_top;
}

/* The slot's distance in words, where an entry has room for it. */
static bool put_slot(struct lge_cached_context *entry, size_t i, uintptr_t slot) {
    uintptr_t distance = slot - entry->sp;
    if (slot == 0 || distance % sizeof slot != 0 || distance / sizeof slot > UINT16_MAX)
        return false;
    entry->slot[i] = (uint16_t)(distance / sizeof slot);
    entry->value[i] = *(const uintptr_t *)slot;
    return true;
}

/* Where a slot is not certain, no entry is made. */
static bool fill(struct lge_cached_context *entry, const struct lgp_frame *frames, size_t count,
                 uintptr_t top) {
    for (size_t i = 0; i < LGE_CHECKED_SLOTS; i++) {
        const struct lgp_frame *caller = &frames[i + 1 < count ? i + 1 : 1];
        uintptr_t slot = caller->sp <= top ? lgp_return_slot(caller - 1, caller) : 0;
        if (!put_slot(entry, i, slot))
            return false;
    }
    return true;
}

static void remember(struct lge_thread *thread, const struct lgp_frame *frames, size_t count, uintptr_t sp,
                     uint32_t context) {
    if (!may_cache(thread, frames, count, sp))
        return;
    if (thread->contexts == NULL)
        thread->contexts = lgp_alloc(sizeof *thread->contexts);
    if (thread->contexts == NULL)
        return;
    struct lge_cached_context entry = {.site = frames[0].pc, .sp = sp, .context = context};
    if (!fill(&entry, frames, count, thread->stack_top))
        return;
    *lge_cached_site(thread->contexts, entry.site) =
        (struct lge_cached_site){entry.site, entry.slot[0] * (uint32_t)sizeof(uintptr_t)};
    size_t set = lge_cached_set(entry.site, sp, entry.value[0]);
    struct lge_context_cache *cache = thread->contexts;
    uint8_t turn = cache->next[set]++;
    struct lge_cached_context *way = &cache->entries[set][turn % LGE_CACHE_WAYS];
    cache->behind[set][turn % LGE_CACHE_BEHIND] = *way;
    *way = entry;
}

/* Found behind, an entry changes places with one of the first ways. */
static uint32_t cached_behind(struct lge_thread *thread, uintptr_t site, uintptr_t sp) {
    size_t set = lge_cached_set_of(thread, site, sp);
    if (set == LGE_CACHE_SETS)
        return 0;
    for (size_t i = 0; i < LGE_CACHE_BEHIND; i++) {
        struct lge_cached_context found = thread->contexts->behind[set][i];
        if (!lge_cached_holds(&found, site, sp))
            continue;
        struct lge_cached_context *way = &thread->contexts->entries[set][i % LGE_CACHE_WAYS];
        thread->contexts->behind[set][i] = *way;
        *way = found;
        return found.context;
    }
    return 0;
}

/* In a signal handler the frames end there: what it interrupted is another place
 * each time. */
static uint32_t intern_frames(const struct lgp_frame *frames, size_t count, uintptr_t site) {
    uintptr_t pcs[MOST_FRAMES];
    count = lge_signal_frames(frames, count);
    for (size_t i = 0; i < count; i++)
        pcs[i] = frames[i].pc;
    pcs[0] = site;
    return lge_context_intern(pcs, count, false);
}

static uint32_t one_frame(uintptr_t site) { return lge_context_intern(&site, 1, true); }

static size_t unwind(struct lge_thread *thread, uintptr_t site, uintptr_t sp, struct lgp_frame *frames) {
    return sp == 0 ? 0 : lge_steps_unwind(thread, site, sp, frames, lge_context_depth());
}

uint32_t lge_context_capture(struct lge_thread *thread, uintptr_t site, uintptr_t sp) {
    lge_context_forget_unloaded(thread);
    uint32_t context = lge_context_cached(thread, site, sp);
    if (context == 0)
        context = cached_behind(thread, site, sp);
    if (context != 0)
        return context;
    struct lgp_frame frames[MOST_FRAMES];
    size_t count = unwind(thread, site, sp, frames);
    if (count == 0 || frames[0].pc != site)
        return one_frame(site);
    context = intern_frames(frames, count, site);
    remember(thread, frames, count, sp, context);
    return context;
}

uint32_t lge_context_at_site(struct lge_thread *thread, uintptr_t site, uintptr_t sp) {
    _Atomic uint8_t *state = lge_site(site);
    uint8_t uses = atomic_load_explicit(state, memory_order_relaxed);
    if (uses >= LGE_SITE_OUTER)
        return 0;
    uint8_t next = uses < FIRST_USES ? (uint8_t)(uses + 1) : LGE_SITE_PLAIN;
    if (uses != LGE_SITE_WRAPPER) /* nor has another thread made it one */
        atomic_compare_exchange_strong_explicit(state, &uses, next, memory_order_relaxed,
                                                memory_order_relaxed);
    return lge_context_capture(thread, site, sp);
}

/* The frame in which `held` was taken, if that activation is still there. */
static size_t frame_of(struct lge_thread *thread, const struct lge_held *held, const struct lgp_frame *frames,
                       size_t count) {
    for (size_t i = 0; i < count; i++)
        if (frames[i].sp == held->sp)
            return lge_step_same_function(thread, held->site, &frames[i]) ? i : SIZE_MAX;
    return SIZE_MAX;
}

/* The same site with the same stack pointer as the request: a loop in one
 * activation, or a wrapper entered twice; nothing tells which. */
static uint32_t match(struct lge_thread *thread, const struct lge_held *held, const struct lgp_frame *frames,
                      size_t count, uintptr_t site, uintptr_t sp) {
    bool ambiguous = held->site == site && held->sp == sp;
    size_t i = ambiguous ? SIZE_MAX : frame_of(thread, held, frames, count);
    if (i != SIZE_MAX)
        return intern_frames(frames + i, count - i, held->site);
    /* Chains known without its caller are not known with it. */
    if (atomic_exchange_explicit(lge_site(held->site), LGE_SITE_WRAPPER, memory_order_relaxed) !=
        LGE_SITE_WRAPPER)
        lge_known_clear_all();
    return one_frame(held->site);
}

static bool all_known(const struct lge_thread *thread) {
    for (const struct lge_held *held = thread->base + 1; held <= thread->top; held++)
        if (held->context == 0)
            return false;
    return true;
}

uint32_t lge_context_resolve(struct lge_thread *thread, uintptr_t site, uintptr_t sp) {
    lge_context_forget_unloaded(thread);
    if (all_known(thread))
        return lge_context_capture(thread, site, sp);
    struct lgp_frame frames[MOST_FRAMES];
    size_t count = unwind(thread, site, sp, frames);
    for (struct lge_held *held = thread->base + 1; held <= thread->top; held++)
        if (held->context == 0)
            held->context = match(thread, held, frames, count, site, sp);
    if (count == 0 || frames[0].pc != site)
        return one_frame(site);
    uint32_t context = intern_frames(frames, count, site);
    remember(thread, frames, count, sp, context);
    return context;
}
