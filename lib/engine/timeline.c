#include "engine/timeline.h"

#include "engine/context.h"
#include "engine/deadlock.h"
#include "engine/evidence.h"
#include "engine/graph.h"
#include "engine/lifecycle.h"
#include "platform/futex_lock.h"
#include "record/writer.h"

_Atomic uint64_t lge_timeline_least = UINT64_MAX;

static uint64_t wanted_ns; /* lge_config.timeline_ns; written once at the start */

static struct {
    struct lgp_lock lock;
    uint32_t count; /* of blocks */
    uint32_t used;  /* slots before this one were given out since the last thinning */
    bool refused;   /* the file takes no more blocks */
    struct lgr_spans *blocks[LGE_TIMELINE_BLOCKS];
} room;

void lge_timeline_start(const struct lge_config *config) {
    wanted_ns = config->timeline_ns;
    lge_timeline_reset();
}

void lge_timeline_reset(void) {
    room.count = room.used = 0;
    room.refused = false;
    atomic_store_explicit(&lge_timeline_least, wanted_ns == 0 ? UINT64_MAX : wanted_ns, memory_order_relaxed);
}

struct lgp_part lge_timeline_part(void) {
    return (struct lgp_part){&room.lock, (void *)&room, sizeof room};
}

/* ---- room; under the lock ---- */

static uint32_t slots(void) { return room.count * LGE_TIMELINE_BLOCK; }
static struct lgr_span *slot_at(uint32_t index) {
    return &room.blocks[index / LGE_TIMELINE_BLOCK]->spans[index % LGE_TIMELINE_BLOCK];
}

static bool add_block(void) {
    struct lgr_spans *block =
        room.refused || room.count == LGE_TIMELINE_BLOCKS ? NULL : lge_evidence_spans(LGE_TIMELINE_BLOCK);
    if (block == NULL) {
        room.refused = room.count < LGE_TIMELINE_BLOCKS;
        return false;
    }
    __atomic_store_n(&block->least_ns, atomic_load_explicit(&lge_timeline_least, memory_order_relaxed),
                     __ATOMIC_RELAXED);
    room.blocks[room.count++] = block;
    return true;
}

static uint32_t count_from(uint64_t least_ns) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < slots(); i++)
        count += slot_at(i)->length_ns >= least_ns;
    return count;
}

static uint64_t longest(void) {
    uint64_t length_ns = 0;
    for (uint32_t i = 0; i < slots(); i++)
        if (slot_at(i)->length_ns > length_ns)
            length_ns = slot_at(i)->length_ns;
    return length_ns;
}

/* A length that a quarter to a half of all spans have, or more. */
static uint64_t length_of_the_longer(void) {
    uint64_t low = atomic_load_explicit(&lge_timeline_least, memory_order_relaxed); /* all have that */
    uint64_t high = longest() + 1;                                                  /* and none this */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        uint32_t count = count_from(middle);
        if (count <= slots() / 2 && count >= slots() / 4)
            return middle;
        if (count > slots() / 2)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* A slot that a kill leaves half empty fails its check. */
static void empty(struct lgr_span *span) {
    __atomic_store_n(&span->check, 0, __ATOMIC_RELAXED);
    atomic_thread_fence(memory_order_release);
    span->length_ns = 0;
    span->thread = 0;
}

static void thin_out(void) {
    uint64_t least = length_of_the_longer();
    for (uint32_t i = 0; i < slots(); i++)
        if (slot_at(i)->length_ns < least)
            empty(slot_at(i));
    for (uint32_t i = 0; i < room.count; i++)
        __atomic_store_n(&room.blocks[i]->least_ns, least, __ATOMIC_RELAXED);
    atomic_store_explicit(&lge_timeline_least, least, memory_order_relaxed);
    room.used = 0;
}

/* NULL: there is none. */
static struct lgr_span *next_free(void) {
    while (room.used < slots() || add_block()) {
        struct lgr_span *span = slot_at(room.used++);
        if (span->length_ns == 0)
            return span;
    }
    return NULL;
}

static struct lgr_span *obtain(uint64_t length_ns) {
    struct lgr_span *span = next_free();
    if (span != NULL || slots() == 0)
        return span;
    thin_out();
    return lge_timeline_wants(length_ns) ? next_free() : NULL;
}

/* ---- spans ---- */

static void store(struct lgr_span *to, struct lgr_span span) {
    span.check = 0;
    *to = span;
    atomic_thread_fence(memory_order_release);
    __atomic_store_n(&to->check, lgr_span_check(&span), __ATOMIC_RELAXED);
}

/* In a child that we did not see begin the file is its parent's. */
static void keep(struct lge_thread *thread, struct lgr_span span, uint64_t lock, uint32_t other) {
    if (!lgr_writer_is_own())
        return;
    span.thread = lge_thread_serial(thread);
    lge_evidence_span_parts(thread, lock, span.context, other);
    lgp_lock(&room.lock);
    struct lgr_span *slot = lge_timeline_wants(span.length_ns) ? obtain(span.length_ns) : NULL;
    if (slot != NULL)
        store(slot, span);
    lgp_unlock(&room.lock);
}

static uint32_t place_of(uint32_t context, uintptr_t site) {
    return context != 0 || site == 0 ? context : lge_context_intern(&site, 1, true);
}

/* So that it has a name: nothing else asks for one that stands alone. */
static void know_lock(const struct lge_held *held) {
    lge_table_lock();
    lge_lock_obtain_held(held);
    lge_table_unlock();
}

void lge_timeline_hold(struct lge_thread *thread, const struct lge_held *held, uint64_t length_ns) {
    know_lock(held);
    keep(thread,
         (struct lgr_span){.start_ns = held->since_ns,
                           .length_ns = length_ns,
                           .target = held->id,
                           .context = place_of(held->context, held->site),
                           .mode = held->mode},
         held->id, 0);
}

/* What a wait is for, as it is told; LGR_WAIT_NONE: idle, not at all. */
static uint16_t kind_of(const struct lge_thread *thread) {
    uint32_t kind = lge_wait_kind(thread);
    bool for_signal = kind == LGR_WAIT_CONDITION || (thread->request.flags & LGE_TAKEN_BACK) != 0;
    if (!for_signal)
        return (uint16_t)kind;
    if (lge_depth(thread) == 0)
        return LGR_WAIT_NONE;
    return thread->request.kind == LGR_LOCK_SEMAPHORE ? LGR_WAIT_LOCK : LGR_WAIT_CONDITION;
}

void lge_timeline_wait(struct lge_thread *thread) {
    if (!lge_timeline_on())
        return;
    uint64_t length = lgp_monotonic_ns() - thread->wait_begun;
    uint16_t kind = lge_timeline_wants(length) ? kind_of(thread) : LGR_WAIT_NONE;
    if (kind == LGR_WAIT_NONE)
        return;
    const struct lge_request *request = &thread->request;
    uint64_t target = lge_wait_target(thread);
    if (kind == LGR_WAIT_CONDITION)
        target = (uintptr_t)atomic_load_explicit(&thread->wait.address, memory_order_relaxed);
    uint32_t context = atomic_load_explicit(&thread->wait.context, memory_order_relaxed);
    keep(thread,
         (struct lgr_span){.start_ns = thread->wait_begun,
                           .length_ns = length,
                           .target = target,
                           .context = place_of(context, request->site),
                           .wait_kind = kind,
                           .mode = request->mode},
         kind == LGR_WAIT_LOCK ? target : 0, kind == LGR_WAIT_JOIN ? (uint32_t)target : 0);
}
