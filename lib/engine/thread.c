#include "engine/thread.h"
#include "engine/lifecycle.h"

#include <string.h>

#include "engine/author.h"
#include "engine/census.h"
#include "engine/context.h"
#include "engine/dependency.h"
#include "engine/hold_times.h"
#include "engine/identity.h"
#include "engine/known.h"
#include "engine/level.h"
#include "engine/operation.h"
#include "engine/past.h"
#include "engine/step_cache.h"
#include "engine/trace.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"
#include "platform/system.h"

enum { HELD_START = 32, TID_BUCKETS = 1024 };

static struct {
    struct lgp_lock lock;
    struct lge_thread *first;   /* live ones, and ended ones that may be joined */
    struct lge_thread *leaving; /* ended, nobody will join: reusable once the kernel thread is gone */
    struct lge_thread *free;    /* reusable at once */
    uint32_t serial;            /* last given out */
    uint64_t nested;            /* of threads whose blocks were reused */
    uint64_t unused;            /* lock numbers those had set aside */
    uint64_t adopted;           /* alive when last looked, and since */
    uint64_t next_sweep;
    uint64_t left, next_left_sweep; /* on the list of those leaving */
    _Atomic(struct lge_thread *) by_tid[TID_BUCKETS];
} threads;

void lge_threads_lock(void) { lgp_lock(&threads.lock); }
void lge_threads_unlock(void) { lgp_unlock(&threads.lock); }
struct lge_thread *lge_threads_first(void) {
    return threads.first;
}
struct lge_thread *lge_threads_leaving(void) {
    return threads.leaving;
}
struct lge_thread *lge_threads_all(void) {
    return threads.first != NULL ? threads.first : threads.leaving;
}
struct lge_thread *lge_threads_after(const struct lge_thread *thread) {
    bool last = thread->next_in_list == NULL && thread->life != LGE_THREAD_LEAVING;
    return last ? threads.leaving : thread->next_in_list;
}
uint64_t lge_threads_count(void) {
    lge_threads_lock();
    uint64_t count = threads.serial;
    lge_threads_unlock();
    return count;
}

uint64_t lge_threads_nested(void) {
    lge_threads_lock();
    uint64_t sum = threads.nested;
    for (struct lge_thread *t = threads.first; t != NULL; t = t->next_in_list)
        sum += t->nested;
    for (struct lge_thread *t = threads.leaving; t != NULL; t = t->next_in_list)
        sum += t->nested;
    lge_threads_unlock();
    return sum;
}

/* The owner may be about to set others aside: next is moved first. */
static uint64_t unused_numbers(const struct lge_thread *thread) {
    uint64_t end = atomic_load_explicit(&thread->id_end, memory_order_relaxed);
    uint64_t next = atomic_load_explicit(&thread->id_next, memory_order_relaxed);
    return end > next ? end - next : 0;
}

uint64_t lge_threads_unused_numbers(void) {
    lge_threads_lock();
    uint64_t sum = threads.unused;
    for (struct lge_thread *t = threads.first; t != NULL; t = t->next_in_list)
        sum += unused_numbers(t);
    for (struct lge_thread *t = threads.leaving; t != NULL; t = t->next_in_list)
        sum += unused_numbers(t);
    lge_threads_unlock();
    return sum;
}

_Atomic uint64_t lge_census;

/* ---- by kernel id ---- */

static _Atomic(struct lge_thread *) *bucket(uint32_t tid) { return &threads.by_tid[tid % TID_BUCKETS]; }

static void tid_add(struct lge_thread *thread, uint32_t tid) {
    atomic_store_explicit(&thread->tid, tid, memory_order_relaxed);
    atomic_store_explicit(&thread->next_by_tid, atomic_load_explicit(bucket(tid), memory_order_relaxed),
                          memory_order_relaxed);
    /* Release: pairs with the acquire loads in lge_thread_by_tid. */
    atomic_store_explicit(bucket(tid), thread, memory_order_release);
}

static void tid_remove(struct lge_thread *thread) {
    uint32_t tid = atomic_load_explicit(&thread->tid, memory_order_relaxed);
    if (tid == 0)
        return;
    _Atomic(struct lge_thread *) *link = bucket(tid);
    struct lge_thread *at;
    while ((at = atomic_load_explicit(link, memory_order_relaxed)) != NULL && at != thread)
        link = &at->next_by_tid;
    if (at != NULL)
        atomic_store_explicit(link, atomic_load_explicit(&thread->next_by_tid, memory_order_relaxed),
                              memory_order_release);
    atomic_store_explicit(&thread->tid, 0, memory_order_relaxed);
}

/* Lock-free.  A block that moves to another bucket under our feet can lead the
 * walk astray, but never out of type-stable memory; the step limit ends it, and
 * the caller looks again later. */
struct lge_thread *lge_thread_by_tid(uint32_t tid) {
    if (tid == 0)
        return NULL;
    struct lge_thread *at = atomic_load_explicit(bucket(tid), memory_order_acquire);
    for (int steps = 0; at != NULL && steps < 100000; steps++) {
        if (atomic_load_explicit(&at->tid, memory_order_relaxed) == tid)
            return at;
        at = atomic_load_explicit(&at->next_by_tid, memory_order_acquire);
    }
    return NULL;
}

/* ---- blocks ---- */

static void link_in(struct lge_thread **list, struct lge_thread *thread) {
    thread->previous_in_list = NULL;
    thread->next_in_list = *list;
    if (*list != NULL)
        (*list)->previous_in_list = thread;
    *list = thread;
}

static void link_out(struct lge_thread **list, struct lge_thread *thread) {
    if (thread->previous_in_list != NULL)
        thread->previous_in_list->next_in_list = thread->next_in_list;
    else
        *list = thread->next_in_list;
    if (thread->next_in_list != NULL)
        thread->next_in_list->previous_in_list = thread->previous_in_list;
}

/* What a finished life leaves behind. */
static void end_life(struct lge_thread *thread) {
    threads.nested += thread->nested;
    thread->nested = 0;
    threads.unused += unused_numbers(thread);
    thread->id_next = thread->id_end = 0;
    lge_known_free(thread);
    lge_context_cache_free(thread);
    lge_step_cache_free(thread);
    lge_past_drop(thread->past);
    thread->past = NULL;
    lge_dependency_drop(thread->last_dependency);
    thread->last_dependency = NULL;
    lge_hold_times_end(thread);
    lge_operations_leave_all(thread);
}

static bool counts(const struct lge_thread *thread) {
    return thread->life == LGE_THREAD_NEW || thread->life == LGE_THREAD_RUNNING;
}

static void release_block(struct lge_thread *thread) {
    if (counts(thread))
        lge_census_remove(LGE_CENSUS_THREAD);
    bool left = thread->life == LGE_THREAD_LEAVING;
    threads.left -= left;
    link_out(left ? &threads.leaving : &threads.first, thread);
    tid_remove(thread);
    lge_thread_waits_over(thread);
    end_life(thread);
    thread->life = LGE_THREAD_FREE;
    thread->next_in_list = threads.free;
    threads.free = thread;
}

/* A detached thread that ended may still run destructors of the program; its
 * block is free once the kernel knows it no more. */
static struct lge_thread *take_block(void) {
    if (threads.free == NULL && threads.leaving != NULL) {
        struct lge_thread *oldest = threads.leaving;
        while (oldest->next_in_list != NULL)
            oldest = oldest->next_in_list;
        if (!lgp_thread_alive(atomic_load_explicit(&oldest->tid, memory_order_relaxed)))
            release_block(oldest);
    }
    struct lge_thread *thread = threads.free;
    if (thread != NULL)
        threads.free = thread->next_in_list;
    return thread;
}

static bool make_room(struct lge_thread *thread) {
    if (thread->base != NULL)
        return true;
    thread->base = lgp_alloc(HELD_START * sizeof *thread->base);
    if (thread->base == NULL)
        return false;
    thread->last = thread->base + HELD_START - 1;
    return true;
}

bool lge_thread_grow(struct lge_thread *thread) {
    size_t depth = lge_depth(thread), room = (size_t)(thread->last - thread->base) + 1;
    struct lge_held *base = lgp_alloc(room * 2 * sizeof *base);
    if (base == NULL)
        return false;
    struct lge_held *old = thread->base;
    memcpy(base, old, room * sizeof *base);
    lge_threads_lock(); /* the wait-for search may walk the old one */
    thread->base = base;
    thread->top = base + depth;
    thread->last = base + room * 2 - 1;
    lge_threads_unlock();
    lgp_free(old, room * sizeof *base);
    return true;
}

/* Everything that belongs to one life of a block; arrays and the wait sequence
 * stay. */
static void begin_life(struct lge_thread *thread, struct lge_thread *parent, uintptr_t start_routine) {
    thread->top = thread->base;
    thread->base->key = LGE_NO_HOLDS;
    thread->nested = 0;
    thread->id_next = thread->id_end = 0;
    thread->time = 1;
    thread->epoch = 1;
    thread->forgotten = 0;
    thread->has_dependencies = false;
    thread->detached = false;
    thread->adopted = false;
    thread->stack_low = thread->stack_top = 0;
    thread->start_routine = start_routine;
    thread->parent = parent == NULL ? 0 : lge_thread_serial(parent);
    thread->recorded = 0;
    thread->name[0] = '\0';
    thread->handlers.depth = 0;
    thread->exits = thread->cancelled = false;
    thread->counted = false;
    thread->cancelled_by = thread->cancelled_at = 0;
    memset(thread->settled, 0, sizeof thread->settled);
    lge_heartbeat_none(&thread->heartbeat);
    atomic_store_explicit(&thread->wait.kind, LGR_WAIT_NONE, memory_order_relaxed);
    if (parent == NULL)
        return;
    thread->past = parent->has_dependencies ? lge_past_with(parent->past, lge_thread_serial(parent),
                                                            parent->time, LGR_REASON_CREATE, threads.serial)
                                            : lge_past_keep(parent->past);
    parent->time++;
}

/* A chain repeated after a creation or join is new evidence: it may overlap what
 * it was ordered with before.  Forgetting the known chains lets it be seen;
 * done for the first few only, so that a thread that creates or joins all the
 * time keeps its cache. */
static void new_epoch(struct lge_thread *thread) {
    enum { FORGETTING = 64 };
    thread->epoch++;
    if (thread->has_dependencies && thread->forgotten < FORGETTING) {
        thread->forgotten++;
        lge_known_clear(thread);
    }
}

struct lge_thread *lge_thread_new(struct lge_thread *parent, uintptr_t start_routine,
                                  uint32_t creation_context) {
    lge_threads_lock();
    struct lge_thread *thread = take_block();
    if (thread == NULL)
        thread = lgp_alloc(sizeof *thread);
    if (thread == NULL || !make_room(thread) || !lge_known_start(thread)) {
        lge_threads_unlock();
        return NULL;
    }
    atomic_store_explicit(&thread->serial, ++threads.serial, memory_order_relaxed);
    begin_life(thread, parent, start_routine);
    if (parent != NULL)
        new_epoch(parent);
    thread->creation_context = creation_context;
    thread->life = LGE_THREAD_NEW;
    link_in(&threads.first, thread);
    lge_census_add(LGE_CENSUS_THREAD);
    lge_threads_unlock();
    return thread;
}

void lge_thread_begin(struct lge_thread *thread, uint32_t tid, uintptr_t stack_top, size_t stack_size) {
    lge_threads_lock();
    thread->stack_top = stack_top;
    thread->stack_low = stack_top > stack_size ? stack_top - stack_size : stack_top;
    thread->life = LGE_THREAD_RUNNING;
    tid_add(thread, tid);
    lge_threads_unlock();
}

void lge_thread_abandon(struct lge_thread *thread) {
    lge_threads_lock();
    release_block(thread);
    lge_threads_unlock();
}

/* Lists of threads of which nobody tells that they are gone are looked through each
 * time their number has doubled. */
static uint64_t sweep_after(uint64_t alive) {
    enum { FIRST_SWEEP = 64 };
    return alive * 2 > FIRST_SWEEP ? alive * 2 : FIRST_SWEEP;
}

static void release_lost(void) {
    struct lge_thread *next;
    threads.adopted = 0;
    for (struct lge_thread *t = threads.first; t != NULL; t = next) {
        next = t->next_in_list;
        if (!t->adopted)
            continue;
        if (lgp_thread_alive(lge_thread_tid(t)))
            threads.adopted++;
        else
            release_block(t);
    }
    threads.next_sweep = sweep_after(threads.adopted);
}

void lge_thread_adopted(struct lge_thread *thread) {
    lge_threads_lock();
    if (++threads.adopted > threads.next_sweep)
        release_lost();
    thread->adopted = true;
    lge_threads_unlock();
}

bool lge_thread_begun(const struct lge_thread *thread, uint32_t serial) {
    lge_threads_lock();
    bool begun = lge_thread_serial(thread) != serial || thread->life != LGE_THREAD_NEW;
    lge_threads_unlock();
    return begun;
}

bool lge_thread_over(const struct lge_thread *thread) {
    lge_threads_lock();
    bool over = thread->life == LGE_THREAD_ENDED || thread->life == LGE_THREAD_LEAVING;
    lge_threads_unlock();
    return over;
}

static void release_gone(void) {
    struct lge_thread *next;
    for (struct lge_thread *t = threads.leaving; t != NULL; t = next) {
        next = t->next_in_list;
        if (!lgp_thread_alive(lge_thread_tid(t)))
            release_block(t);
    }
    threads.next_left_sweep = sweep_after(threads.left);
}

/* Nobody will join: to the list of those whose blocks can be taken. */
static void leave(struct lge_thread *thread) {
    if (++threads.left > threads.next_left_sweep)
        release_gone();
    link_out(&threads.first, thread);
    link_in(&threads.leaving, thread);
    thread->life = LGE_THREAD_LEAVING;
}

void lge_thread_end(struct lge_thread *thread) {
    lge_threads_lock();
    if (counts(thread))
        lge_census_remove(LGE_CENSUS_THREAD);
    lge_heartbeat_end(thread);
    thread->life = LGE_THREAD_ENDED;
    if (thread->detached)
        leave(thread);
    lge_threads_unlock();
}

void lge_thread_detached(struct lge_thread *thread) {
    lge_threads_lock();
    thread->detached = true;
    if (thread->life == LGE_THREAD_ENDED)
        leave(thread);
    lge_threads_unlock();
}

/* Of the target's own events only those count that some edge still carries. */
static struct lge_past *past_after(struct lge_thread *thread, struct lge_past *target_past, uint32_t serial,
                                   uint32_t time) {
    struct lge_past *past = lge_past_prune(lge_past_join(thread->past, target_past, LGR_REASON_NONE, 0));
    if (!lge_author_kept(serial))
        return past;
    struct lge_past *with = lge_past_with(past, serial, time, LGR_REASON_JOIN, serial);
    lge_past_drop(past);
    return with;
}

static bool can_be_joined(const struct lge_thread *target, uint32_t serial) {
    return lge_thread_serial(target) == serial && target->life != LGE_THREAD_FREE &&
           target->life != LGE_THREAD_LEAVING;
}

void lge_thread_joined(struct lge_thread *thread, struct lge_thread *target, uint32_t serial) {
    lge_threads_lock();
    if (!can_be_joined(target, serial)) {
        lge_threads_unlock();
        return;
    }
    struct lge_past *target_past = lge_past_keep(target->past);
    uint32_t time = target->time;
    release_block(target); /* and its own reference to its last dependency */
    struct lge_past *past = past_after(thread, target_past, serial, time);
    lge_past_drop(target_past);
    if (past != thread->past)
        new_epoch(thread);
    lge_past_drop(thread->past);
    thread->past = past;
    lge_threads_unlock();
}

uint32_t lge_thread_serial(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->serial, memory_order_relaxed);
}

/* Who may give it back: search.c and stuck.c ask. */
static void note_under(struct lge_held *semaphore) {
    if (semaphore->kind == LGR_LOCK_SEMAPHORE && semaphore->mode == LGR_EXCLUSIVE &&
        !lge_lock_declared(semaphore->id))
        lge_held_mark(semaphore, LGE_TAKEN_UNDER);
}

/* A semaphore that may be given back by another is another hold than one that may not:
 * what is known of the one says nothing of the other. */
static uint64_t key_with(uint64_t below, const struct lge_held *held) {
    uint64_t key = lge_chain_key(below, held->id, held->mode, lge_place(held->site, held->context));
    return lge_held_marks(held) & LGE_TAKEN_UNDER ? lge_mix(key, LGE_TAKEN_UNDER) : key;
}

/* Those above it move down, and their keys no longer contain it. */
static void take_out(struct lge_thread *thread, struct lge_held *at) {
    uint64_t key = at[-1].key;
    for (; at != thread->top; at++) {
        *at = at[1];
        note_under(at);
        key = key_with(key, at);
        at->key = key;
    }
    lge_known_fetch(thread, key);
    thread->top--;
}

bool lge_pop(struct lge_thread *thread, const void *address, struct lge_held *held) {
    struct lge_held *at = lge_newest_hold(thread, address);
    if (at == NULL)
        return false;
    if (held != NULL)
        *held = *at;
    if (lge_tracing())
        lge_trace_released(at);
    if (lge_timing != 0)
        lge_hold_ends(thread, at);
    take_out(thread, at);
    return true;
}

/* ---- fork ---- */

/* The fast path of spinlocks knows no attributes. */
bool lge_hold_shared(const struct lge_held *held) {
    struct lgp_part ids = lge_identity_part();
    if (held->kind != LGR_LOCK_SPIN)
        return (held->attributes & LGR_LOCK_PSHARED) != 0;
    return !lgp_part_intact(&ids) || lge_identity_table_shared(held->id);
}

/* Down to one that a handler, in which we are, found half written. */
void lge_thread_drop_shared(struct lge_thread *self) {
    for (struct lge_held *held = self->top; held > self->base && held->address != NULL; held--)
        if (held->kind != LGR_LOCK_FILE && lge_hold_shared(held))
            take_out(self, held);
}

/* The child counts what it uses itself. */
static void forget_numbers(struct lge_thread *self) {
    self->id_next = self->id_end = 0;
    threads.unused = 0;
    threads.nested = 0;
    self->nested = 0;
}

/* What a thread has of its own it changes without a lock, and it may have been
 * about to: a pointer may lead to what was given back.  Dropped, not freed. */
static void forget_life(struct lge_thread *thread) {
    thread->known = NULL;
    thread->known_count = 0;
    thread->recent = NULL;
    thread->contexts = NULL;
    thread->steps = NULL;
    thread->past = NULL;
    thread->last_dependency = NULL;
    thread->hold_times = NULL;
    memset(thread->times_at, 0, sizeof thread->times_at);
    thread->waits = (struct lge_thread_waits){0};
    thread->operations = NULL;
    thread->operation_count = thread->operation_room = 0;
    thread->nested = 0;
    thread->id_next = thread->id_end = 0;
}

/* Who waited when the process forked waits in the parent: the block's next life begins
 * with no wait. */
static void forget_wait(struct lge_thread *thread) {
    struct lge_wait *wait = &thread->wait;
    if (atomic_load_explicit(&wait->sequence, memory_order_relaxed) & 1)
        atomic_fetch_add_explicit(&wait->sequence, 1, memory_order_relaxed);
    atomic_store_explicit(&wait->endless, 0, memory_order_relaxed);
    atomic_store_explicit(&wait->over, NULL, memory_order_relaxed);
    atomic_store_explicit(&thread->wait_since, 0, memory_order_relaxed);
    thread->wait_counted = false;
    thread->usage = thread->usage_at = NULL;
    thread->state = NULL;
}

static void forget_others(struct lge_thread *list, const struct lge_thread *self) {
    for (struct lge_thread *next; list != NULL; list = next) {
        next = list->next_in_list;
        if (list == self)
            continue;
        forget_life(list);
        forget_wait(list);
        release_block(list);
    }
}

void lge_threads_after_fork(struct lge_thread *self, uint32_t tid) {
    forget_others(threads.first, self);
    forget_others(threads.leaving, self);
    tid_remove(self);
    tid_add(self, tid);
    forget_numbers(self);
    lge_dependency_forked(threads.serial, lge_thread_serial(self), self->time);
    self->time++;
    new_epoch(self);
}

/* The memory of all that was is forgotten. */
void lge_threads_alone(struct lge_thread *self, uint32_t tid) {
    forget_life(self);
    self->state = NULL;
    self->usage = self->usage_at = NULL;
    self->wait_counted = false;
    self->has_dependencies = false;
    for (struct lge_held *held = self->base + 1; held <= self->top; held++) {
        held->id = lge_lock_id_new(self, LGE_CLASS_NONE);
        held->context = 0;
    }
    atomic_store_explicit(&self->next_by_tid, NULL, memory_order_relaxed);
    atomic_store_explicit(&self->serial, ++threads.serial, memory_order_relaxed);
    lge_known_start(self);
    link_in(&threads.first, self);
    tid_add(self, tid);
}

static void free_list(struct lge_thread *list) {
    for (struct lge_thread *next; list != NULL; list = next) {
        next = list->next_in_list;
        end_life(list);
        lgp_free(list->base, (size_t)(list->last - list->base + 1) * sizeof *list->base);
        lgp_free(list, sizeof *list);
    }
}

void lge_threads_reset(void) {
    lge_dependency_unforked();
    free_list(threads.first);
    free_list(threads.leaving);
    free_list(threads.free);
    memset((void *)&threads, 0, sizeof threads);
    atomic_store_explicit(&lge_census, 0, memory_order_relaxed);
}

struct lgp_part lge_threads_part(void) {
    return (struct lgp_part){&threads.lock, (void *)&threads, sizeof threads};
}
