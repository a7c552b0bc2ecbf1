/* pthread_mutex_*: POSIX.1-2017 pthread_mutex_lock(3p) and neighbours, with
 * glibc's clocklock.  The first two functions are the hot path: everything in
 * them is measured (docs/benchmarks.md). */
#include "interpose/mutex.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>

#include "engine/context.h"
#include "engine/destroyed.h"
#include "engine/hot_path.h"
#include "engine/identity.h"
#include "engine/overlong.h"
#include "engine/side_tag.h"
#include "interpose/mutex_hot.h"
#include "interpose/mutex_kind.h"
#include "interpose/mutex_misuse.h"
#include "interpose/mutex_wait.h"
#include "interpose/profile.h"
#include "interpose/real.h"
#include "platform/memory.h"

enum { UNTAGGED = LGI_ROBUST | LGI_PRIO_INHERIT | LGI_PRIO_PROTECT | LGI_PSHARED };

static bool use_tags = true;

void lgi_mutex_start(bool tags) {
    use_tags = tags;
    lgi_mutex_wait_start();
}

/* ---- the hot path ---- */

/* Where the hot path does not see that the chain is known: lge_look_again. */
__attribute__((noinline)) static int lock_other(struct lge_thread *thread, pthread_mutex_t *mutex,
                                                uint64_t id, uintptr_t site, uintptr_t sp) {
    struct lge_second_look look = lge_look_again(thread, id, LGR_EXCLUSIVE, site, sp);
    if (look.known &&
        lgi_mutex_take_known(thread, mutex, id, look.key, site, sp, look.context, 0, look.nested))
        return 0;
    return lgi_mutex_lock(mutex, site, sp, NULL);
}

/* Where the hot path cannot be taken. */
__attribute__((noinline)) static int lock_slowly(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp) {
    return lgi_profiled ? lgi_profiled_lock(mutex, site, sp) : lgi_mutex_lock(mutex, site, sp, NULL);
}
__attribute__((noinline)) static int unlock_slowly(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp) {
    return lgi_profiled ? lgi_profiled_unlock(mutex, site, sp) : lgi_mutex_unlock(mutex, site, sp);
}

LGI_EXPORT LGI_HOT int pthread_mutex_lock(pthread_mutex_t *mutex) {
    struct lge_thread *thread = lgi_self();
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    uint64_t id = lgi_mutex_fast_id(thread, mutex);
    if (LGI_UNLIKELY(id == 0))
        return lock_slowly(mutex, site, sp);
    struct lge_held *top = thread->top;
    bool nested = top != thread->base;
    uint64_t below = nested ? top->key : LGE_NO_HOLDS;
    uint64_t key = lge_chain_key(below, id, LGR_EXCLUSIVE, lge_place(site, 0));
    if (LGI_UNLIKELY(!lge_site_plain(site) || (nested && !lge_known(thread, below, key))))
        return lock_other(thread, mutex, id, site, sp);
    if (LGI_LIKELY(lgi_mutex_take_known(thread, mutex, id, key, site, sp, 0, 0, nested)))
        return 0;
    return lgi_mutex_lock(mutex, site, sp, NULL);
}

/* As a request it closes no cycle, so there is nothing to know. */
LGI_EXPORT LGI_HOT int pthread_mutex_trylock(pthread_mutex_t *mutex) {
    struct lge_thread *thread = lgi_self();
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    uint64_t id = lgi_mutex_fast_id(thread, mutex);
    if (LGI_UNLIKELY(id == 0))
        return lgi_mutex_trylock(mutex, site, sp);
    uint32_t context = lge_site_wrapper(site) ? lge_context_cached(thread, site, sp) : 0;
    if (LGI_UNLIKELY(context == 0 && lge_site_wants_context(site)))
        return lgi_mutex_trylock(mutex, site, sp);
    uint64_t key = lge_chain_key(thread->top->key, id, LGR_EXCLUSIVE, lge_place(site, context));
    if (lgi_mutex_take_known(thread, mutex, id, key, site, sp, context, 0, thread->top != thread->base))
        return 0;
    return lgi_mutex_trylock(mutex, site, sp);
}

LGI_EXPORT LGI_HOT int pthread_mutex_unlock(pthread_mutex_t *mutex) {
    struct lge_thread *thread = lgi_self();
    if (!lgi_mutex_is_newest(thread, mutex))
        return unlock_slowly(mutex, LGI_SITE(), LGI_SP());
    thread->top--;
    return lgi_fast_unlock(mutex);
}

/* ---- requests ---- */

/* Process-shared is every robust mutex to glibc: engine/outside.h. */
uint8_t lgi_mutex_attributes(const pthread_mutex_t *mutex) {
    int kind = lgi_kind_of(mutex);
    unsigned attributes = 0;
    if ((kind & LGI_TYPE_BITS) == PTHREAD_MUTEX_RECURSIVE)
        attributes |= LGR_LOCK_RECURSIVE;
    if ((kind & LGI_TYPE_BITS) == PTHREAD_MUTEX_ERRORCHECK)
        attributes |= LGR_LOCK_ERRORCHECK;
    if (kind & LGI_ROBUST)
        attributes |= LGR_LOCK_ROBUST;
    if (kind & LGI_PSHARED)
        attributes |= LGR_LOCK_PSHARED;
    if (kind & LGI_PRIO_INHERIT)
        attributes |= LGR_LOCK_PRIO_INHERIT;
    if (kind & LGI_PRIO_PROTECT)
        attributes |= LGR_LOCK_PRIO_PROTECT;
    return (uint8_t)attributes;
}

static bool tagged(const pthread_mutex_t *mutex) { return use_tags && (lgi_kind_of(mutex) & UNTAGGED) == 0; }

uint64_t lgi_mutex_identity(struct lge_thread *thread, pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp) {
    if (!tagged(mutex))
        return lge_identity_table_first_use(thread, mutex, site, sp);
    uint64_t id = lge_tag_id(lgi_mutex_tag(mutex), mutex);
    return id != 0 ? id : lge_identity_tag_first_use(thread, lgi_mutex_tag(mutex), mutex, site, sp);
}

uint64_t lgi_mutex_declared(struct lge_thread *thread, pthread_mutex_t *mutex, uint32_t class_id) {
    return tagged(mutex) ? lge_identity_tag_declared(thread, lgi_mutex_tag(mutex), mutex, class_id)
                         : lge_identity_table_declared(thread, mutex, class_id);
}

uint64_t lgi_mutex_known(pthread_mutex_t *mutex) {
    return tagged(mutex) ? lge_tag_known(lgi_mutex_tag(mutex), mutex) : lge_side_id(mutex);
}

uint64_t lgi_mutex_forget(pthread_mutex_t *mutex) {
    if (!tagged(mutex))
        return lge_identity_table_forget(mutex);
    uint64_t id = lgi_mutex_known(mutex);
    atomic_store_explicit(&lgi_mutex_tag(mutex)->id, 0, memory_order_relaxed);
    return id;
}

void lgi_mutex_request(struct lge_thread *thread, pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp,
                       struct lge_request *request) {
    *request = (struct lge_request){
        .address = mutex,
        .id = lgi_mutex_identity(thread, mutex, site, sp),
        .site = site,
        .sp = sp,
        .context = lge_context_at_site(thread, site, sp),
        .mode = LGR_EXCLUSIVE,
        .kind = LGR_LOCK_MUTEX,
        .attributes = lgi_mutex_attributes(mutex),
        .flags = (lgi_kind_of(mutex) & LGI_TYPE_BITS) == PTHREAD_MUTEX_RECURSIVE ? LGE_RECURSIVE : 0,
    };
}

/* ---- lock ---- */

int lgi_mutex_pass_through(pthread_mutex_t *mutex, const struct lgi_limit *limit) {
    struct lgi_limit absolute;
    struct timespec at;
    limit = lgi_limit_absolute(limit, &absolute, &at);
    if (limit == NULL)
        return lgi_real.mutex_lock(mutex);
    return limit->by_clock ? lgi_real.mutex_clocklock(mutex, limit->clock, limit->at)
                           : lgi_real.mutex_timedlock(mutex, limit->at);
}

/* pthread_mutex_clocklock refuses a clock it does not know even when the mutex
 * is free; trying first would let it through. */
static bool refused(const struct lgi_limit *limit) {
    return limit != NULL && limit->by_clock && limit->clock != CLOCK_REALTIME &&
           limit->clock != CLOCK_MONOTONIC;
}

/* glibc leaves a robust mutex that cannot be recovered locked when trylock says
 * so: every later call of the program would then wait for ever instead of
 * getting ENOTRECOVERABLE. */
static bool lost(const pthread_mutex_t *mutex) {
    enum { NOTRECOVERABLE = INT_MAX - 1 }; /* PTHREAD_MUTEX_NOTRECOVERABLE of glibc's pthreadP.h */
    return (lgi_kind_of(mutex) & LGI_ROBUST) != 0 && mutex->__data.__owner == NOTRECOVERABLE;
}

/* EBUSY of an error-checking mutex may be EDEADLK to pthread_mutex_lock, and
 * any other error is glibc's own to name. */
static int lock_tracked(struct lge_thread *thread, pthread_mutex_t *mutex, const struct lge_request *request,
                        const struct lgi_limit *limit) {
    if (lost(mutex))
        return lgi_mutex_pass_through(mutex, limit);
    int result = lgi_real.mutex_trylock(mutex);
    if (result != EBUSY && (lgi_kind_of(mutex) & LGI_PRIO_PROTECT))
        return result; /* a second try after a failed one is glibc's to answer otherwise */
    if (result == EBUSY)
        return lgi_mutex_wait(thread, mutex, request, limit);
    if (result != 0 && result != EOWNERDEAD)
        return lgi_mutex_pass_through(mutex, limit);
    return result;
}

__attribute__((noinline)) int lgi_mutex_lock(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp,
                                             const struct lgi_limit *limit) {
    struct lge_thread *thread = refused(limit) ? NULL : lgi_enter();
    if (thread == NULL)
        return lgi_mutex_pass_through(mutex, limit);
    if (!lgi_mutex_usable(thread, mutex, site, sp)) {
        lgi_leave(thread);
        return lgi_mutex_pass_through(mutex, limit);
    }
    struct lge_request request;
    lgi_mutex_request(thread, mutex, site, sp, &request);
    request.flags |= lgi_limit_flags(limit);
    lgi_mutex_look_at_lock(thread, &request);
    lge_check(thread, &request);
    int result = lock_tracked(thread, mutex, &request, limit);
    if (result == 0 || result == EOWNERDEAD)
        lge_acquired(thread, &request);
    else
        lgi_look_at_result(thread, mutex, result, site, sp);
    lgi_leave(thread);
    return result;
}

int lgi_mutex_trylock(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return lgi_real.mutex_trylock(mutex);
    bool usable = lgi_mutex_usable(thread, mutex, site, sp);
    int result = lgi_real.mutex_trylock(mutex);
    if (usable && (result == 0 || result == EOWNERDEAD)) {
        struct lge_request request;
        lgi_mutex_request(thread, mutex, site, sp, &request);
        lgi_mutex_look_at_lock(thread, &request);
        lge_acquired(thread, &request);
    }
    lgi_leave(thread);
    return result;
}

LGI_EXPORT int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *at) {
    struct lgi_limit limit = {.clock = CLOCK_REALTIME, .at = at, .by_clock = false};
    return lgi_mutex_lock(mutex, LGI_SITE(), LGI_SP(), &limit);
}

LGI_EXPORT int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *at) {
    struct lgi_limit limit = {.clock = clock, .at = at, .by_clock = true};
    return lgi_mutex_lock(mutex, LGI_SITE(), LGI_SP(), &limit);
}

/* ---- unlock ---- */

static bool owned(const pthread_mutex_t *mutex, const struct lge_thread *thread) {
    return (lgi_kind_of(mutex) & LGI_ELISION) == 0 && lgi_mutex_state(mutex).owner == lge_thread_tid(thread);
}

/* We owned what we gave up and did not hold: the same memory may be mapped twice, and
 * the mutex was taken at its other address.  There it is ours no more, either. */
static void forget_other_address(struct lge_thread *thread) {
    for (const struct lge_held *held = thread->top; held > thread->base; held--) {
        pthread_mutex_t copy;
        if (held->kind == LGR_LOCK_MUTEX && lgp_read_safely(&copy, held->address, sizeof copy) &&
            (lgi_kind_of(&copy) & LGI_ELISION) == 0 && !owned(&copy, thread)) {
            lge_released(thread, held->address);
            return;
        }
    }
}

/* Not the newest hold, not held by us at all, or not tracked. */
__attribute__((noinline)) int lgi_mutex_unlock(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return lgi_real.mutex_unlock(mutex);
    struct lge_held held;
    lge_releasing(thread, mutex, site, sp);
    bool held_by_us = lge_pop(thread, mutex, &held), untracked = !held_by_us && owned(mutex, thread);
    if (!held_by_us && lgi_mutex_usable(thread, mutex, site, sp))
        lgi_mutex_look_at_unlock(thread, mutex, site, sp);
    int result = lgi_real.mutex_unlock(mutex);
    if (result == 0 && untracked)
        forget_other_address(thread);
    if (result != 0 && held_by_us) {
        struct lge_request request = {.address = mutex,
                                      .id = held.id,
                                      .site = held.site,
                                      .sp = held.sp,
                                      .context = held.context,
                                      .mode = held.mode,
                                      .kind = held.kind,
                                      .attributes = held.attributes};
        lge_acquired(thread, &request);
    }
    lgi_leave(thread);
    return result;
}

/* ---- life of a mutex ---- */

void lgi_mutex_initialised(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    if (tagged(mutex))
        lge_identity_tag_initialised(thread, lgi_mutex_tag(mutex), mutex, site, sp);
    else
        lge_identity_table_initialised(thread, mutex, site, sp);
    lgi_leave(thread);
}

void lgi_mutex_initialising(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    lgi_mutex_look_at_init(thread, mutex, site, sp);
    lgi_leave(thread);
}

LGI_EXPORT int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    lgi_mutex_initialising(mutex, site, sp);
    int result = lgi_real.mutex_init(mutex, attributes);
    if (result == 0)
        lgi_mutex_initialised(mutex, site, sp);
    return result;
}

/* The identity goes only when glibc agreed to destroy; its memory is the
 * program's again as soon as the call returns, so the tag is cleared here. */
static void forget_identity(struct lge_thread *thread, pthread_mutex_t *mutex, bool has_tag, uint64_t id,
                            uintptr_t site, uintptr_t sp) {
    if (!has_tag)
        id = lge_identity_table_forget(mutex);
    if (id != 0)
        lge_lock_destroyed(id);
    if (has_tag)
        atomic_store_explicit(&lgi_mutex_tag(mutex)->id, 0, memory_order_relaxed);
    lge_released(thread, mutex);
    lge_destroyed_put(&(struct lge_destroyed){.address = mutex,
                                              .lock = id,
                                              .site = site,
                                              .context = lge_context_at_site(thread, site, sp),
                                              .thread = lge_thread_serial(thread)});
}

int lgi_mutex_destroy(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return lgi_real.mutex_destroy(mutex);
    if (!lgi_mutex_usable(thread, mutex, site, sp)) {
        lgi_leave(thread);
        return lgi_real.mutex_destroy(mutex);
    }
    bool has_tag = tagged(mutex);
    uint64_t id = lgi_mutex_known(mutex);
    lgi_mutex_look_at_destroy(thread, mutex, id, site, sp);
    int result = lgi_real.mutex_destroy(mutex);
    if (result == 0)
        forget_identity(thread, mutex, has_tag, id, site, sp);
    lgi_leave(thread);
    return result;
}

LGI_EXPORT int pthread_mutex_destroy(pthread_mutex_t *mutex) {
    return lgi_mutex_destroy(mutex, LGI_SITE(), LGI_SP());
}

/* What the side table holds is alive until it is destroyed or reused. */
bool lgi_mutex_alive(const void *address, uint64_t id, uint8_t attributes) {
    if (!use_tags || (attributes & (LGR_LOCK_ROBUST | LGR_LOCK_PSHARED | LGR_LOCK_PRIO_INHERIT |
                                    LGR_LOCK_PRIO_PROTECT)) != 0)
        return true;
    pthread_mutex_t copy;
    if (!lgp_read_safely(&copy, address, sizeof copy))
        return false;
    return lge_tag_known(lgi_mutex_tag(&copy), address) == id;
}
