#include "engine/stuck.h"

#include "engine/semaphore.h"
#include "engine/signal.h"
#include "engine/stall.h"
#include "engine/thread_set.h"
#include "engine/wait_for.h"
#include "platform/system.h"

#include <sys/syscall.h>
#include <time.h>

static const uint64_t long_wait_ns = 500000000;
static const long settling_ns = 10000000;

struct set {
    struct lge_thread_set threads;
    bool plain;     /* a semaphore in it was not declared a lock */
    bool doubtful;  /* its holders did not prove it one, or one of them may have handed it on */
    bool ambiguous; /* and it may as well be one that signals */
    bool at_barrier;
    bool at_semaphore;
    bool everybody;
};

static bool at_barrier(const struct lge_thread *thread) { return lge_wait_kind(thread) == LGR_WAIT_BARRIER; }

bool lge_stuck_by_ring(const struct lge_thread *thread) {
    if (at_barrier(thread))
        return false;
    return !lge_waits_for_lock(thread) ||
           atomic_load_explicit(&thread->wait.owner, memory_order_relaxed) != NULL ||
           !lge_semaphore_known(lge_wait_target(thread));
}

static uint32_t slots_of(const struct lge_thread *thread, uint64_t id, bool *handed) {
    uint32_t slots = 0;
    for (const struct lge_held *held = thread->top; held > thread->base; held--) {
        slots += held->id == id;
        *handed = *handed || (held->id == id && lge_held_marks(held) & LGE_TAKEN_UNDER);
    }
    return slots;
}

/* Anybody may post what is no lock. */
static void doubt(struct set *set, enum lge_semaphore_trust trust, bool several, bool handed) {
    set->plain = set->plain || trust != LGE_DECLARED_LOCK;
    set->doubtful = set->doubtful || handed || trust == LGE_PERHAPS_LOCK;
    set->ambiguous = set->ambiguous || (several && trust == LGE_PERHAPS_LOCK);
}

/* All slots must be held by threads that wait. */
static bool add_holders(struct set *set, const struct lge_thread *waiter) {
    uint64_t id = lge_wait_target(waiter);
    enum lge_semaphore_trust trust;
    bool handed = false;
    set->at_semaphore = true;
    uint32_t slots = lge_semaphore_exhaustible(id, &trust), held = 0;
    struct lge_thread *holder;
    for (uint32_t n = 0; slots != 0 && (holder = lge_waits_for(waiter, n)) != NULL; n++) {
        if (!lge_set_add(&set->threads, holder))
            return false;
        held += slots_of(holder, id, &handed);
    }
    doubt(set, trust, slots != 1 || slots_of(waiter, id, &handed) != 0, handed);
    return slots != 0 && held >= slots;
}

/* One holder is enough: one that is in the set already, else the first. */
static bool add_owner(struct set *set, const struct lge_thread *waiter) {
    struct lge_thread *first = lge_waits_for(waiter, 0), *next = first;
    for (uint32_t n = 1; next != NULL; n++) {
        if (lge_set_contains(&set->threads, next))
            return true;
        next = lge_waits_for(waiter, n);
    }
    return lge_set_add(&set->threads, first) && lge_waits_for_still(waiter, first);
}

static bool add_successors(struct set *set, const struct lge_thread *waiter) {
    if (at_barrier(waiter)) {
        set->at_barrier = set->everybody = true;
        return lge_set_add_everybody(&set->threads);
    }
    return lge_stuck_by_ring(waiter) ? add_owner(set, waiter) : add_holders(set, waiter);
}

static bool close_from(struct set *set, size_t i) {
    for (; i < set->threads.count; i++)
        if (!add_successors(set, set->threads.members[i].thread))
            return false;
    return true;
}

/* All known threads wait; somebody else may come.  What a thread that ended still does
 * may post a semaphore. */
static bool nobody_else(const struct set *set) {
    if (!set->everybody)
        return true;
    enum lge_company company = lge_company_of(&set->threads);
    return company != LGE_IN_COMPANY && !(set->plain && company == LGE_LEAVING);
}

/* Who waits with a limit goes on after it, perhaps to the barrier; and a barrier
 * at which all have come by now is left at any moment. */
static bool barriers_stay_closed(const struct set *set) {
    for (size_t i = 0; set->at_barrier && i < set->threads.count; i++) {
        const struct lge_thread *thread = set->threads.members[i].thread;
        if (atomic_load_explicit(&thread->wait.timed, memory_order_relaxed) ||
            (at_barrier(thread) && !lge_waits_at_barrier(thread)))
            return false;
    }
    return true;
}

static bool waited_long(const struct set *set) {
    uint64_t now = lgp_realtime_ns();
    for (size_t i = 0; i < set->threads.count; i++) {
        uint64_t since = lge_wait_since(set->threads.members[i].thread);
        if (since == 0 || now - since < long_wait_ns)
            return false;
    }
    return true;
}

static bool somebody_timed(const struct set *set) {
    for (size_t i = 0; i < set->threads.count; i++)
        if (atomic_load_explicit(&set->threads.members[i].thread->wait.timed, memory_order_relaxed))
            return true;
    return false;
}

/* A wait with a limit may be a way to sleep; a handler may be what posts. */
static bool may_be_posted(const struct set *set) {
    if (!set->doubtful)
        return false;
    return somebody_timed(set) ||
           (set->ambiguous && atomic_load_explicit(&lge_signals_handled, memory_order_relaxed) != 0);
}

/* A semaphore that nobody declared a lock may be posted by whoever does not wait.
 * That its holders always did it themselves is believed when the ring lasts. */
static bool beyond_doubt(struct set *set) {
    if (!set->plain || (!set->doubtful && waited_long(set)))
        return true;
    size_t first = set->threads.count;
    set->everybody = true;
    return !may_be_posted(set) && lge_set_add_everybody(&set->threads) && close_from(set, first) &&
           !may_be_posted(set);
}

/* A thread that was cancelled a moment ago leaves its wait for a semaphore as soon
 * as it gets to run. */
static bool settled(const struct set *set) {
    if (!set->at_semaphore)
        return true;
    struct timespec moment = {.tv_nsec = settling_ns};
    return lgp_syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&moment, 0, 0, 0) == 0 &&
           lge_set_unchanged(&set->threads);
}

bool lge_stuck(struct lge_thread *thread) {
    struct set set = {0};
    bool stuck = lge_set_add(&set.threads, thread) && close_from(&set, 0) && beyond_doubt(&set) &&
                 lge_set_unchanged(&set.threads) && barriers_stay_closed(&set) &&
                 lge_set_unchanged(&set.threads) && nobody_else(&set) && settled(&set);
    lge_set_free(&set.threads);
    return stuck;
}
