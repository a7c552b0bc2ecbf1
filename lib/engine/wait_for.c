#include "engine/wait_for.h"

#include "engine/context.h"
#include "engine/file_hold.h"
#include "engine/holders.h"
#include "engine/outside.h"
#include "engine/survivor.h"
#include "platform/memory.h"

_Atomic bool lge_handed_over;
static bool (*shut_out)(const void *address, uint32_t shared);
static struct lge_thread *(*runs_once)(const void *control);
static bool (*inside_once)(const struct lge_thread *thread, const uintptr_t *frames, size_t count);

void lge_wait_for_start(const struct lge_config *config) {
    shut_out = config->shut_out;
    runs_once = config->runs_once;
    inside_once = config->inside_once;
}

static uint32_t mode_of(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->wait.mode, memory_order_relaxed);
}

/* ---- holders ---- */

/* Of a lock of a file what is on a stack may have been ended by another thread. */
static bool in_force(const struct lge_thread *t, const struct lge_held *held) {
    return held->kind != LGR_LOCK_FILE ||
           (!lge_file_lock_shared(held->id) && lge_file_hold_stands(held->id, lge_thread_serial(t)));
}

static bool holds_against(const struct lge_thread *t, uint64_t id, uint32_t mode) {
    for (const struct lge_held *held = t->top; held > t->base; held--)
        if (held->id == id && in_force(t, held))
            return mode == LGR_EXCLUSIVE || held->mode == LGR_EXCLUSIVE || held->kind == LGR_LOCK_SEMAPHORE;
    return false;
}

/* ---- queues ---- */

static bool queues(const struct lge_thread *thread) {
    return lge_waits_for_lock(thread) &&
           atomic_load_explicit(&thread->wait.queues, memory_order_relaxed) != 0;
}

static bool waits_to_write(const struct lge_thread *thread, uint64_t id) {
    return lge_waits_for_lock(thread) && mode_of(thread) == LGR_EXCLUSIVE && lge_wait_target(thread) == id;
}

bool lge_queues_behind(const struct lge_thread *reader, const struct lge_thread *writer) {
    uint64_t id = lge_wait_target(reader);
    return queues(reader) && waits_to_write(writer, id) && !holds_against(writer, id, LGR_SHARED);
}

/* Shared holds of waiting threads. */
static uint32_t count_readers(uint64_t id) {
    uint32_t count = 0;
    lge_threads_lock();
    for (struct lge_thread *t = lge_threads_all(); t != NULL; t = lge_threads_after(t)) {
        if (!lge_waiting(lge_wait_sequence(t)))
            continue;
        for (const struct lge_held *held = t->top; held > t->base; held--)
            count += held->id == id && held->mode == LGR_SHARED;
    }
    lge_threads_unlock();
    return count;
}

/* Whether a reader that queues certainly stays in the queue.  Counted again: a reader that was counted and
 * left must not stand for one that was granted the lock. */
static bool is_shut_out(const struct lge_thread *reader) {
    if (shut_out == NULL)
        return true;
    uint64_t id = lge_wait_target(reader);
    uint32_t readers = count_readers(id);
    return shut_out(atomic_load_explicit(&reader->wait.address, memory_order_relaxed), readers) &&
           count_readers(id) == readers;
}

/* ---- edges ---- */

static bool in_the_way(const struct lge_thread *t, const struct lge_thread *waiter, bool queued) {
    uint64_t id = lge_wait_target(waiter);
    return holds_against(t, id, mode_of(waiter)) || (queued && waits_to_write(t, id));
}

/* The n-th waiting thread that keeps `waiter` from the lock.  The sequence tells
 * when one stopped waiting under our eyes. */
static struct lge_thread *obstacle(const struct lge_thread *waiter, uint32_t n) {
    struct lge_thread *found = NULL;
    bool queued = queues(waiter) && is_shut_out(waiter);
    lge_threads_lock();
    for (struct lge_thread *t = lge_threads_all(); t != NULL && found == NULL; t = lge_threads_after(t)) {
        uint32_t sequence = lge_wait_sequence(t);
        if (lge_waiting(sequence) && in_the_way(t, waiter, queued) && lge_wait_unchanged(t, sequence) &&
            n-- == 0)
            found = t;
    }
    lge_threads_unlock();
    return found;
}

/* Another thread may have got its lock meanwhile, given it up and unmapped it:
 * its owner field is read so that nothing can happen. */
static uint32_t owner_tid(const int *owner) {
    int field = 0;
    return lgp_read_safely(&field, owner, sizeof field) ? lge_owner_id(field) : 0;
}

static bool holds_privately(const struct lge_thread *t, uint64_t id) {
    for (const struct lge_held *held = t->top; held > t->base; held--)
        if (held->id == id)
            return !lge_outside(held->address, held->attributes);
    return false;
}

/* A shared lock is still the parent's thread's. */
static struct lge_thread *owner_before_fork(const struct lge_thread *waiter, uint32_t tid) {
    struct lge_thread *survivor = lge_survivor_by_tid(tid);
    if (survivor == NULL || (survivor != waiter && !lge_waiting(lge_wait_sequence(survivor))))
        return NULL;
    return holds_privately(survivor, lge_wait_target(waiter)) ? survivor : NULL;
}

struct lge_thread *lge_owner_thread(const struct lge_thread *waiter, uint32_t tid) {
    struct lge_thread *found = lge_thread_by_tid(tid);
    return found != NULL ? found : owner_before_fork(waiter, tid);
}

/* Whether the id in the lock need not be that of the thread which holds it. */
static bool owner_is_doubtful(const struct lge_thread *waiter) {
    return atomic_load_explicit(&lge_handed_over, memory_order_relaxed) ||
           atomic_load_explicit(&waiter->wait.outside, memory_order_relaxed);
}

/* By the lock: who wants it back after a wait for a condition is known by that one's address. */
static bool is_its(const struct lge_thread *waiter, const struct lge_thread *owner) {
    return lge_holder_has(owner, lge_wait_target(waiter));
}

struct lge_thread *lge_waits_for_owner(const struct lge_thread *thread, bool *single) {
    const int *field = atomic_load_explicit(&thread->wait.owner, memory_order_relaxed);
    *single = field != NULL && !atomic_load_explicit(&thread->wait.shareable, memory_order_relaxed);
    struct lge_thread *owner = field == NULL ? NULL : lge_owner_thread(thread, owner_tid(field));
    return owner == NULL || !owner_is_doubtful(thread) || is_its(thread, owner) ? owner : NULL;
}

bool lge_waits_at_barrier(const struct lge_thread *thread) {
    const _Atomic uint32_t *all_here = atomic_load_explicit(&thread->wait.over, memory_order_acquire);
    return all_here != NULL && atomic_load_explicit(all_here, memory_order_acquire) == 0;
}

/* Who joins one that holds what others wait for is a bystander of their ring. */
static bool may_come(const struct lge_thread *t, const struct lge_thread *waiter) {
    return t != waiter && (lge_waits_for_lock(t) || lge_depth(waiter) == 0);
}

/* The n-th waiting thread that may be the one that does not come. */
static struct lge_thread *anybody(const struct lge_thread *waiter, uint32_t n) {
    struct lge_thread *found = NULL;
    if (!lge_waits_at_barrier(waiter))
        return NULL;
    lge_threads_lock();
    for (struct lge_thread *t = lge_threads_first(); t != NULL && found == NULL; t = t->next_in_list)
        if (lge_waiting(lge_wait_sequence(t)) && may_come(t, waiter) && n-- == 0)
            found = t;
    lge_threads_unlock();
    return found;
}

struct lge_thread *lge_runs_once(const void *control) {
    return runs_once == NULL ? NULL : runs_once(control);
}

bool lge_inside_once(const struct lge_thread *runner) {
    const struct lge_context *context =
        lge_context_get(atomic_load_explicit(&runner->wait.context, memory_order_relaxed));
    return inside_once == NULL || (context != NULL && inside_once(runner, context->frames, context->count));
}

static struct lge_thread *once_runner(const struct lge_thread *waiter) {
    return lge_runs_once(atomic_load_explicit(&waiter->wait.address, memory_order_relaxed));
}

struct lge_thread *lge_waits_for(const struct lge_thread *thread, uint32_t n) {
    uint32_t kind = lge_wait_kind(thread);
    if (kind == LGR_WAIT_CONDITION)
        return NULL; /* whoever signals: stall.h */
    if (kind == LGR_WAIT_BARRIER)
        return anybody(thread, n);
    if (kind == LGR_WAIT_JOIN)
        return n == 0 ? atomic_load_explicit(&thread->wait.joined, memory_order_relaxed) : NULL;
    if (kind == LGR_WAIT_ONCE)
        return n == 0 ? once_runner(thread) : NULL;
    if (atomic_load_explicit(&thread->wait.owner, memory_order_relaxed) == NULL ||
        atomic_load_explicit(&thread->wait.shareable, memory_order_relaxed))
        return obstacle(thread, n);
    bool single;
    return n == 0 ? lge_waits_for_owner(thread, &single) : NULL;
}

bool lge_waits_for_still(const struct lge_thread *thread, const struct lge_thread *next) {
    bool single;
    const struct lge_thread *owner = lge_waits_for_owner(thread, &single);
    if (single)
        return owner == next;
    if (lge_wait_kind(thread) == LGR_WAIT_ONCE)
        return once_runner(thread) == next;
    if (lge_queues_behind(thread, next))
        return is_shut_out(thread);
    return !lge_waits_for_lock(thread) || holds_against(next, lge_wait_target(thread), mode_of(thread));
}

static bool upgrades(const struct lge_thread *thread, uint64_t id) {
    return waits_to_write(thread, id) && holds_against(thread, id, LGR_EXCLUSIVE) &&
           !holds_against(thread, id, LGR_SHARED);
}

struct lge_thread *lge_other_upgrader(const struct lge_thread *thread) {
    struct lge_thread *found = NULL;
    if (!upgrades(thread, lge_wait_target(thread)))
        return NULL;
    lge_threads_lock();
    for (struct lge_thread *t = lge_threads_all(); t != NULL && found == NULL; t = lge_threads_after(t)) {
        uint32_t sequence = lge_wait_sequence(t);
        if (t != thread && lge_waiting(sequence) && upgrades(t, lge_wait_target(thread)) &&
            lge_wait_unchanged(t, sequence))
            found = t;
    }
    lge_threads_unlock();
    return found;
}
