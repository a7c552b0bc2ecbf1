#include "engine/holders.h"

#include "engine/hold_times.h"
#include "engine/outside.h"
#include "platform/system.h"

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
    holder->attributes = held->attributes & LGE_HELD_LOCKS_OWN;
    holder->context = held->context;
    holder->mode = held->mode;
    holder->site = held->site;
    *site = held->site;
}

struct lge_holder lge_holder_find(uint32_t tid, const void *address) {
    struct lge_holder holder = {0};
    uintptr_t site = 0;
    if (tid == 0)
        return holder;
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

bool lge_holder_has(const struct lge_thread *thread, uint64_t id) {
    bool has = false;
    lge_threads_lock();
    for (const struct lge_held *held = newest(thread); held > thread->base && !has; held--)
        has = address_of(held) != NULL && held->id == id;
    lge_threads_unlock();
    return has;
}

/* The sequence is odd while it waits, and the same afterwards when all that was
 * read belongs to one wait. */
static bool waits_for(const struct lge_thread *thread, uint64_t id, struct lge_holder *holder) {
    const struct lge_wait *wait = &thread->wait;
    uint32_t sequence = lge_wait_sequence(thread);
    if (!lge_waiting(sequence) || !lge_waits_for_lock(thread) || lge_wait_target(thread) != id)
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
    for (const struct lge_thread *t = lge_threads_all(); t != NULL && !found; t = lge_threads_after(t))
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

/* ---- who is in the way ---- */

/* It began within its jiffy.  Read twice, since the owner may write another time there. */
static void see_untimed(const struct lge_held *held, struct lge_holder *holder) {
    uint64_t jiffy = __atomic_load_n(&held->since_ns, __ATOMIC_ACQUIRE), now = lgp_monotonic_ns();
    uint64_t latest = lgp_jiffy_ns(jiffy) + lgp_jiffies.step_ns;
    if ((lge_held_marks(held) & LGE_SINCE_TICKS) != 0 ||
        __atomic_load_n(&held->since_ns, __ATOMIC_RELAXED) != jiffy)
        return;
    holder->since_ns = latest < now ? latest : now;
    holder->since = LGE_SINCE_AT_LEAST;
}

/* First the mark, then the time: a hold that is taken in between has no mark again,
 * one that is there already was taken before. */
static void see(struct lge_held *held, struct lge_holder *holder) {
    uint8_t marks = lge_held_marks(held);
    if ((marks & (LGE_SINCE_TICKS | LGE_HOLD_SAMPLED)) == LGE_HOLD_SAMPLED) {
        see_untimed(held, holder);
        return;
    }
    if (marks & LGE_SINCE_TICKS) {
        uint64_t lasts = lgp_ticks_between(__atomic_load_n(&held->since_ns, __ATOMIC_RELAXED), lgp_ticks());
        holder->since_ns = lgp_monotonic_ns() - lasts;
        holder->since = LGE_SINCE_EXACTLY;
        return;
    }
    if ((marks & LGE_SINCE) == LGE_SINCE_UNKNOWN) {
        if (lge_timing & LGE_TIMING_PROFILE)
            return; /* its owner is about to write the same word */
        lge_held_mark(held, LGE_SINCE_AT_LEAST);
        atomic_thread_fence(memory_order_seq_cst);
        __atomic_store_n(&held->since_ns, lgp_monotonic_ns(), __ATOMIC_RELAXED);
    }
    holder->since_ns = __atomic_load_n(&held->since_ns, __ATOMIC_RELAXED);
    holder->since = lge_held_marks(held) & LGE_SINCE;
}

bool lge_holder_mark_told(const struct lge_holder *holder) {
    bool first = false;
    lge_threads_lock();
    const struct lge_thread *thread = lge_thread_by_tid(holder->tid);
    for (struct lge_held *held = thread == NULL ? NULL : newest(thread);
         held != NULL && held > thread->base && !first; held--)
        first = address_of(held) == holder->address && held->since_ns == holder->since_ns &&
                (__atomic_fetch_or(&held->marks, LGE_HOLD_TOLD, __ATOMIC_RELAXED) & LGE_HOLD_TOLD) == 0;
    lge_threads_unlock();
    return first;
}

/* Behind a writer that waits, readers wait for readers. */
static bool keeps_out(const struct lge_held *held, const struct lge_request *request) {
    return address_of(held) == request->address && held->id == request->id &&
           (request->mode == LGR_EXCLUSIVE || held->mode == LGR_EXCLUSIVE ||
            held->kind == LGR_LOCK_SEMAPHORE || (request->flags & LGE_WRITER_PREFERRED));
}

static void look_at_holds(const struct lge_thread *thread, const struct lge_thread *waiter,
                          struct lge_keepers *keepers) {
    uint32_t before = keepers->count;
    for (struct lge_held *held = newest(thread); held > thread->base; held--) {
        if (!keeps_out(held, &waiter->request)) {
            continue;
        } else if (thread == waiter) {
            keepers->own++;
        } else if (keepers->count++ == 0) {
            uintptr_t site;
            keepers->first = of_thread(thread);
            copy_hold(&keepers->first, held, &site);
            see(held, &keepers->first);
        }
    }
    keepers->threads += keepers->count != before;
}

/* The lock's owner; 0: nobody, or itself. */
static uint32_t owner_of(const struct lge_thread *waiter) {
    const int *owner = atomic_load_explicit(&waiter->wait.owner, memory_order_relaxed);
    uint32_t tid = owner == NULL ? 0 : lge_owner_id(__atomic_load_n(owner, __ATOMIC_RELAXED));
    return tid != lge_thread_tid(waiter) ? tid : 0;
}

/* Holders are looked for where the lock names none, and their stacks say all. */
static bool in_stacks(const struct lge_thread *waiter) {
    if (waiter->request.kind == LGR_LOCK_RWLOCK)
        return (waiter->request.flags & LGE_HOLDERS_UNKNOWN) == 0;
    return atomic_load_explicit(&waiter->wait.owner, memory_order_relaxed) == NULL;
}

struct lge_keepers lge_keepers_find(const struct lge_thread *waiter) {
    struct lge_keepers keepers = {0};
    uint32_t tid = owner_of(waiter);
    bool stranger = false; /* of another process, by an id that a thread of this one has */
    lge_threads_lock();
    const struct lge_thread *owner = tid == 0 ? NULL : lge_thread_by_tid(tid);
    if (owner != NULL) {
        look_at_holds(owner, waiter, &keepers);
        if (keepers.count == 0 && !lge_maybe_outside(waiter->request.attributes)) /* taken past us */
            keepers.first = of_thread(owner);
        else if (keepers.count == 0)
            stranger = true;
    } else if (tid == 0 && in_stacks(waiter)) {
        for (const struct lge_thread *t = lge_threads_all(); t != NULL; t = lge_threads_after(t))
            look_at_holds(t, waiter, &keepers);
    }
    lge_threads_unlock();
    if (tid != 0) {
        keepers.first.tid = stranger ? 0 : tid;
        keepers.count = keepers.threads = 1;
    }
    return keepers;
}

uint32_t lge_holder_context(const struct lge_holder *holder) {
    return context_of(holder->context, holder->site);
}

uint32_t lge_waiters_count(const struct lge_thread *self, uint64_t id, uint32_t most) {
    struct lge_holder unused;
    uint32_t count = 0;
    lge_threads_lock();
    for (const struct lge_thread *t = lge_threads_all(); t != NULL && most-- != 0; t = lge_threads_after(t))
        count += t != self && waits_for(t, id, &unused);
    lge_threads_unlock();
    return count;
}

/* ---- by address ---- */

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
