#include "engine/holders.h"

/* A stack whose lower part was never captured says at least its first line. */
static uint32_t context_of(uint32_t context, uintptr_t site) {
    if (context != 0 || site == 0)
        return context;
    return lge_context_intern(&site, 1, true);
}

static struct lge_holder of_thread(const struct lge_thread *thread) {
    return (struct lge_holder){.serial = lge_thread_serial(thread), .tid = lge_thread_tid(thread)};
}

/* Under the list lock.  Relaxed: see holders.h. */
static struct lge_held *newest(const struct lge_thread *thread) {
    struct lge_held *top = __atomic_load_n(&thread->top, __ATOMIC_RELAXED);
    return top < thread->base ? thread->base : top > thread->last ? thread->last : top;
}

static const void *address_of(const struct lge_held *held) {
    return __atomic_load_n(&held->address, __ATOMIC_RELAXED);
}

/* Of the hold, all but its context, which takes other locks. */
static void copy_hold(struct lge_holder *holder, const struct lge_held *held, uintptr_t *site) {
    holder->lock = held->id;
    holder->address = held->address;
    holder->kind = held->kind;
    holder->attributes = held->attributes;
    holder->context = held->context;
    *site = held->site;
}

struct lge_holder lge_holder_find(uint32_t tid, const void *address) {
    struct lge_holder holder = {0};
    uintptr_t site = 0;
    lge_threads_lock();
    const struct lge_thread *thread = lge_thread_by_tid(tid);
    if (thread != NULL) {
        holder = of_thread(thread);
        for (const struct lge_held *held = newest(thread); held > thread->base && holder.lock == 0; held--)
            if (address_of(held) == address)
                copy_hold(&holder, held, &site);
    }
    lge_threads_unlock();
    holder.context = context_of(holder.context, site);
    return holder;
}

/* The sequence is odd while it waits, and the same afterwards when all that was
 * read belongs to one wait. */
static bool waits_for(const struct lge_thread *thread, uint64_t id, struct lge_holder *holder) {
    const struct lge_wait *wait = &thread->wait;
    uint32_t sequence = lge_wait_sequence(thread);
    if (!lge_waiting(sequence) || atomic_load_explicit(&wait->kind, memory_order_relaxed) != LGR_WAIT_LOCK ||
        atomic_load_explicit(&wait->target, memory_order_relaxed) != id)
        return false;
    *holder = of_thread(thread);
    holder->lock = id;
    holder->context = atomic_load_explicit(&wait->context, memory_order_relaxed);
    return lge_wait_unchanged(thread, sequence);
}

struct lge_holder lge_waiter_find(const struct lge_thread *self, uint64_t id) {
    struct lge_holder holder = {0};
    bool found = false;
    lge_threads_lock();
    for (const struct lge_thread *t = lge_threads_first(); t != NULL && !found; t = t->next_in_list)
        found = t != self && waits_for(t, id, &holder);
    lge_threads_unlock();
    return found ? holder : (struct lge_holder){0};
}

static bool hold_within(const struct lge_thread *thread, uintptr_t start, size_t size,
                        bool (*accept)(const struct lge_holder *), struct lge_holder *holder,
                        uintptr_t *site) {
    for (const struct lge_held *held = newest(thread); held > thread->base; held--) {
        if ((uintptr_t)address_of(held) - start >= size)
            continue;
        *holder = of_thread(thread);
        copy_hold(holder, held, site);
        if (accept(holder))
            return true;
    }
    return false;
}

uint32_t lge_holders_count(const void *address) {
    uint32_t count = 0;
    lge_threads_lock();
    for (const struct lge_thread *t = lge_threads_first(); t != NULL; t = t->next_in_list)
        for (const struct lge_held *held = newest(t); held > t->base; held--)
            count += address_of(held) == address;
    lge_threads_unlock();
    return count;
}

struct lge_holder lge_holder_within(const void *start, size_t size,
                                    bool (*accept)(const struct lge_holder *holder)) {
    enum { MOST_THREADS = 256 };
    struct lge_holder holder = {0};
    uintptr_t site = 0;
    bool found = false;
    int left = MOST_THREADS;
    lge_threads_lock();
    for (const struct lge_thread *t = lge_threads_first(); t != NULL && !found && left-- > 0;
         t = t->next_in_list)
        found = hold_within(t, (uintptr_t)start, size, accept, &holder, &site);
    lge_threads_unlock();
    if (!found)
        return (struct lge_holder){0};
    holder.context = context_of(holder.context, site);
    return holder;
}
