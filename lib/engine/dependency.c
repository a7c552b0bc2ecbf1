#include "engine/dependency.h"

#include "engine/author.h"
#include "engine/file_lock.h"
#include "engine/mix.h"
#include "engine/past.h"
#include "engine/semaphore.h"
#include "platform/memory.h"

/* Alive now; relaxed: a figure. */
static _Atomic uint64_t alive;

uint64_t lge_dependency_count(void) { return atomic_load_explicit(&alive, memory_order_relaxed); }

static size_t size_of(size_t held_count) {
    return sizeof(struct lge_dependency) + held_count * sizeof(struct lgr_held);
}

struct lge_dependency *lge_dependency_keep(struct lge_dependency *dependency) {
    atomic_fetch_add_explicit(&dependency->references, 1, memory_order_relaxed);
    return dependency;
}

void lge_dependency_drop(struct lge_dependency *dependency) {
    if (dependency == NULL)
        return;
    /* Release our reads to whoever frees; acquire everybody's. */
    if (atomic_fetch_sub_explicit(&dependency->references, 1, memory_order_acq_rel) != 1)
        return;
    lge_past_drop(dependency->past);
    lge_author_drop(dependency->thread);
    atomic_fetch_sub_explicit(&alive, 1, memory_order_relaxed);
    lgp_free(dependency, size_of(dependency->room));
}

static bool listed(const struct lge_dependency *dependency, uint64_t id) {
    for (uint32_t i = 0; i < dependency->held_count; i++)
        if (dependency->held[i].lock == id)
            return true;
    return false;
}

static uint64_t bloom(uint64_t id) { return (uint64_t)1 << (lge_mix(id, 1) & 63); }

static uint64_t bit_of(uint32_t held) { return held < 64 ? (uint64_t)1 << held : 0; }

/* Of the hold that was copied last. */
static void note_handed(struct lge_dependency *to, const struct lge_held *held) {
    if (!(lge_held_marks(held) & LGE_TAKEN_UNDER) || (to->flags & LGE_TAKEN_BACK))
        return;
    to->handed |= bit_of(to->held_count - 1);
    to->signature = lge_mix(to->signature, LGE_TAKEN_UNDER);
}

bool lge_dependency_handed(const struct lge_dependency *dependency, const struct lgr_held *held) {
    return (dependency->handed & bit_of((uint32_t)(held - dependency->held))) != 0;
}

/* Recursive holds count once, as first taken. */
static void copy_holds(struct lge_dependency *to, const struct lge_thread *thread) {
    for (const struct lge_held *held = thread->base + 1; held <= thread->top; held++) {
        if ((to->lockset & bloom(held->id)) != 0 && listed(to, held->id))
            continue;
        to->held[to->held_count++] = (struct lgr_held){held->id, held->context, held->mode};
        to->lockset |= bloom(held->id);
        note_handed(to, held);
        to->signature = lge_mix(to->signature ^ held->id, held->mode);
        to->shape = lge_mix(to->shape ^ lge_lock_class(held->id), held->mode);
    }
}

static bool reusable(const struct lge_dependency *last, const struct lge_thread *thread,
                     const struct lge_request *request, uint32_t context) {
    return last != NULL && last->chain == thread->top->key && last->context == context &&
           last->epoch == thread->epoch && last->mode == request->mode && last->flags == request->flags;
}

struct lge_dependency *lge_dependency_make(struct lge_thread *thread, const struct lge_request *request,
                                           uint32_t context) {
    if (reusable(thread->last_dependency, thread, request, context))
        return lge_dependency_keep(thread->last_dependency);
    size_t depth = lge_depth(thread);
    struct lge_dependency *made = lgp_alloc(size_of(depth));
    if (made == NULL)
        return NULL;
    atomic_store_explicit(&made->references, 2, memory_order_relaxed);
    atomic_fetch_add_explicit(&alive, 1, memory_order_relaxed);
    made->room = (uint32_t)depth;
    made->thread = lge_thread_serial(thread);
    lge_author_add(made->thread);
    made->time = thread->time;
    made->epoch = thread->epoch;
    made->past = lge_past_keep(thread->past);
    made->chain = thread->top->key;
    made->requested = request->id;
    made->context = context;
    made->mode = request->mode;
    made->flags = request->flags;
    made->signature = made->shape = lge_mix(request->flags, request->mode);
    copy_holds(made, thread);
    lge_dependency_drop(thread->last_dependency);
    thread->last_dependency = made;
    return made;
}

const struct lgr_held *lge_dependency_hold(const struct lge_dependency *dependency, uint64_t id,
                                           bool by_class) {
    for (uint32_t i = 0; i < dependency->held_count; i++) {
        const struct lgr_held *held = &dependency->held[i];
        if ((by_class ? lge_lock_class(held->lock) : held->lock) == id)
            return held;
    }
    return NULL;
}

uint64_t lge_dependency_gate(const struct lge_dependency *a, const struct lge_dependency *b) {
    if ((a->lockset & b->lockset) == 0)
        return 0;
    for (uint32_t i = 0; i < a->held_count; i++) {
        if ((b->lockset & bloom(a->held[i].lock)) == 0)
            continue;
        const struct lgr_held *other = lge_dependency_hold(b, a->held[i].lock, false);
        if (other != NULL && (a->held[i].mode == LGR_EXCLUSIVE || other->mode == LGR_EXCLUSIVE) &&
            !lge_semaphore_signals(other->lock) && !lge_file_lock_shared(other->lock))
            return other->lock;
    }
    return 0;
}

/* Written in a forked child while it has one thread. */
static struct { uint32_t last, survivor, time; } forked;
static const struct lge_past_entry by_fork = {.reason = LGR_REASON_FORK};

void lge_dependency_forked(uint32_t last, uint32_t survivor, uint32_t time) {
    forked.last = last;
    forked.survivor = survivor;
    forked.time = time;
}
void lge_dependency_unforked(void) { lge_dependency_forked(0, 0, 0); }

static bool stayed_behind(const struct lge_dependency *dependency) {
    return dependency->thread <= forked.last && dependency->thread != forked.survivor;
}

static bool made_here(const struct lge_dependency *dependency) {
    return dependency->thread > forked.last ||
           (dependency->thread == forked.survivor && dependency->time > forked.time);
}

static bool fork_between(const struct lge_dependency *a, const struct lge_dependency *b) {
    return (stayed_behind(a) && made_here(b)) || (stayed_behind(b) && made_here(a));
}

const struct lge_past_entry *lge_dependency_order(const struct lge_dependency *a,
                                                  const struct lge_dependency *b) {
    if (forked.last != 0 && fork_between(a, b))
        return &by_fork;
    const struct lge_past_entry *entry = lge_past_find(b->past, a->thread);
    if (entry != NULL && entry->time >= a->time)
        return entry;
    entry = lge_past_find(a->past, b->thread);
    return entry != NULL && entry->time >= b->time ? entry : NULL;
}
