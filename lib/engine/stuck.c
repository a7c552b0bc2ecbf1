#include "engine/stuck.h"

#include "engine/semaphore.h"
#include "engine/signal.h"
#include "engine/wait_for.h"
#include "platform/memory.h"
#include "platform/system.h"

#include <sys/syscall.h>
#include <time.h>

static const uint64_t long_wait_ns = 500000000;
static const long settling_ns = 10000000;

struct member {
    struct lge_thread *thread;
    uint32_t sequence; /* of its wait, as it was when it joined the set */
};
struct set {
    struct member *members;
    size_t count, room;
    bool doubtful;  /* a semaphore in it was never posted by a holder */
    bool ambiguous; /* and it may as well be one that signals */
    bool at_barrier;
    bool at_semaphore;
};

static uint64_t wanted(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->wait.target, memory_order_relaxed);
}

static bool waits_for_lock(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->wait.kind, memory_order_relaxed) == LGR_WAIT_LOCK;
}

static bool at_barrier(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->wait.kind, memory_order_relaxed) == LGR_WAIT_BARRIER;
}

bool lge_stuck_by_ring(const struct lge_thread *thread) {
    if (at_barrier(thread))
        return false;
    return !waits_for_lock(thread) ||
           atomic_load_explicit(&thread->wait.owner, memory_order_relaxed) != NULL ||
           !lge_semaphore_known(wanted(thread));
}

static bool contains(const struct set *set, const struct lge_thread *thread) {
    for (size_t i = 0; i < set->count; i++)
        if (set->members[i].thread == thread)
            return true;
    return false;
}

/* False when it does not wait. */
static bool add(struct set *set, struct lge_thread *thread) {
    if (thread == NULL)
        return false;
    if (contains(set, thread))
        return true;
    uint32_t sequence = lge_wait_sequence(thread);
    if (!lge_waiting(sequence))
        return false;
    if (set->count == set->room) {
        size_t room = set->room ? set->room * 2 : 32;
        struct member *more = lgp_resize(set->members, set->room * sizeof *more, room * sizeof *more);
        if (more == NULL)
            return false;
        set->members = more;
        set->room = room;
    }
    set->members[set->count++] = (struct member){thread, sequence};
    return true;
}

static uint32_t slots_of(const struct lge_thread *thread, uint64_t id) {
    uint32_t slots = 0;
    for (const struct lge_held *held = thread->top; held > thread->base; held--)
        slots += held->id == id;
    return slots;
}

/* All slots must be held by threads that wait. */
static bool add_holders(struct set *set, const struct lge_thread *waiter) {
    uint64_t id = wanted(waiter);
    bool proven;
    set->at_semaphore = true;
    uint32_t slots = lge_semaphore_exhaustible(id, &proven), held = 0;
    struct lge_thread *holder;
    for (uint32_t n = 0; slots != 0 && (holder = lge_waits_for(waiter, n)) != NULL; n++) {
        if (!add(set, holder))
            return false;
        held += slots_of(holder, id);
    }
    if (!proven) {
        set->doubtful = true;
        set->ambiguous = set->ambiguous || slots != 1 || slots_of(waiter, id) != 0;
    }
    return slots != 0 && held >= slots;
}

/* One holder is enough: one that is in the set already, else the first. */
static bool add_owner(struct set *set, const struct lge_thread *waiter) {
    struct lge_thread *first = lge_waits_for(waiter, 0), *next = first;
    for (uint32_t n = 1; next != NULL; n++) {
        if (contains(set, next))
            return true;
        next = lge_waits_for(waiter, n);
    }
    return add(set, first) && lge_waits_for_still(waiter, first);
}

/* Adds every other thread of the process; false when one does not wait. */
static bool add_everybody(struct set *set) {
    bool all = true;
    lge_threads_lock();
    for (struct lge_thread *t = lge_threads_first(); t != NULL && all; t = t->next_in_list)
        all = t->life == LGE_THREAD_ENDED || add(set, t);
    lge_threads_unlock();
    return all;
}

static bool add_successors(struct set *set, const struct lge_thread *waiter) {
    if (at_barrier(waiter)) {
        set->at_barrier = true;
        return add_everybody(set);
    }
    return lge_stuck_by_ring(waiter) ? add_owner(set, waiter) : add_holders(set, waiter);
}

static bool close_from(struct set *set, size_t i) {
    for (; i < set->count; i++)
        if (!add_successors(set, set->members[i].thread))
            return false;
    return true;
}

/* Who waits with a limit goes on after it, perhaps to the barrier; and a barrier
 * at which all have come by now is left at any moment. */
static bool barriers_stay_closed(const struct set *set) {
    for (size_t i = 0; set->at_barrier && i < set->count; i++) {
        const struct lge_thread *thread = set->members[i].thread;
        if (atomic_load_explicit(&thread->wait.timed, memory_order_relaxed) ||
            (at_barrier(thread) && !lge_waits_at_barrier(thread)))
            return false;
    }
    return true;
}

static bool waited_long(const struct lge_thread *thread) {
    return thread->wait_since != 0 && lgp_realtime_ns() - thread->wait_since >= long_wait_ns;
}

static bool somebody_timed(const struct set *set) {
    for (size_t i = 0; i < set->count; i++)
        if (atomic_load_explicit(&set->members[i].thread->wait.timed, memory_order_relaxed))
            return true;
    return false;
}

/* A wait with a limit may be a way to sleep; a handler may be what posts. */
static bool beyond_doubt(struct set *set, const struct lge_thread *thread) {
    if (!set->doubtful)
        return true;
    if (somebody_timed(set))
        return false;
    if (set->ambiguous && atomic_load_explicit(&lge_signals_handled, memory_order_relaxed) != 0)
        return false;
    if (!set->ambiguous && waited_long(thread))
        return true;
    size_t first = set->count;
    return add_everybody(set) && close_from(set, first);
}

static bool unchanged(const struct set *set) {
    for (size_t i = 0; i < set->count; i++)
        if (!lge_wait_unchanged(set->members[i].thread, set->members[i].sequence))
            return false;
    return true;
}

/* A thread that was cancelled a moment ago leaves its wait for a semaphore as soon
 * as it gets to run. */
static bool settled(const struct set *set) {
    if (!set->at_semaphore)
        return true;
    struct timespec moment = {.tv_nsec = settling_ns};
    return lgp_syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&moment, 0, 0, 0) == 0 &&
           unchanged(set);
}

bool lge_stuck(struct lge_thread *thread) {
    struct set set = {0};
    bool stuck = add(&set, thread) && close_from(&set, 0) && beyond_doubt(&set, thread) && unchanged(&set) &&
                 barriers_stay_closed(&set) && unchanged(&set) && settled(&set);
    lgp_free(set.members, set.room * sizeof *set.members);
    return stuck;
}
