/* pthread_rwlock_*: POSIX.1-2017 pthread_rwlock_rdlock(3p) and neighbours, with
 * glibc's clockrdlock and clockwrlock. */
#include "interpose/rwlock.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "engine/context.h"
#include "engine/hot_path.h"
#include "engine/identity.h"
#include "engine/overlong.h"
#include "interpose/real.h"
#include "interpose/rwlock_fast.h"
#include "interpose/rwlock_misuse.h"
#include "interpose/rwlock_wait.h"
#include "interpose/wait_slices.h"
#include "platform/memory.h"

/* Sixteen bytes in front of __flags have had no use since lock elision for
 * rwlocks went away, and every initialiser zeroes them; so have __pad3 and
 * __pad4.  start_tags tries it out. */
enum { TAG_OFFSET = offsetof(pthread_rwlock_t, __data.__flags) - sizeof(struct lge_tag) };
_Static_assert(TAG_OFFSET == offsetof(pthread_rwlock_t, __data.__shared) + sizeof(int), "no room for a tag");
_Static_assert(TAG_OFFSET + 8 == offsetof(pthread_rwlock_t, __data.__pad2), "another layout");
_Static_assert(TAG_OFFSET % _Alignof(struct lge_tag) == 0, "tag not aligned");

static bool use_tags;

static inline struct lge_tag *tag_of(pthread_rwlock_t *lock) {
    return (struct lge_tag *)(void *)((char *)lock + TAG_OFFSET);
}

/* What a word of the lock says of it, as long as it is this lock's. */
static uint32_t told(uint64_t id, const pthread_rwlock_t *lock) {
    return (uint32_t)(lge_tag_check(id, lock) >> 16) | 1;
}

/* Readers of a lock that prefers writers block each other once somebody writes.
 * That fact is wanted of several writers, also of those that hold nothing: one may be
 * kept apart from a reader that another one can meet.  A word of the lock counts those
 * that were told in its low bits.  Relaxed: one told too often does no harm. */
enum { WRITERS_TOLD = 15 };
static uint32_t writers_told(const pthread_rwlock_t *lock, uint64_t id) {
    uint32_t word = __atomic_load_n(&lock->__data.__pad3, __ATOMIC_RELAXED);
    return (word ^ told(id, lock)) > WRITERS_TOLD ? 0 : word & WRITERS_TOLD;
}
static bool writer_told(pthread_rwlock_t *lock, uint64_t id) {
    return !lgi_rwlock_prefers_writers(lock) || writers_told(lock, id) == WRITERS_TOLD;
}
static void tell_writer(pthread_rwlock_t *lock, uint64_t id) {
    uint32_t count = writers_told(lock, id);
    if (count == WRITERS_TOLD || lge_tag_known(tag_of(lock), lock) != id)
        return;
    uint32_t word = (told(id, lock) & ~(uint32_t)WRITERS_TOLD) | (count + 1);
    __atomic_store_n(&lock->__data.__pad3, word, __ATOMIC_RELAXED);
}

/* glibc lets one thread stop reading for another, whose hold we still believe in
 * then: from that moment on only the lock's own writer field is trusted. */
static void tell_handed_over(pthread_rwlock_t *lock) {
    uint64_t id = use_tags ? lge_tag_known(tag_of(lock), lock) : 0;
    if (id != 0)
        __atomic_store_n(&lock->__data.__pad4, told(id, lock), __ATOMIC_RELAXED);
}
static bool handed_over(const pthread_rwlock_t *lock, uint64_t id) {
    return __atomic_load_n(&lock->__data.__pad4, __ATOMIC_RELAXED) == told(id, lock);
}

/* ---- the hot path ---- */

/* The lock's id when the chain may be known, else 0: tagged, and room for one
 * more hold. */
static inline uint64_t fast_id(const struct lge_thread *thread, pthread_rwlock_t *lock) {
    if (LGI_UNLIKELY(thread == NULL || thread->top == thread->last))
        return 0;
    return lge_tag_id(tag_of(lock), lock);
}

__attribute__((always_inline)) static inline void push_known(struct lge_thread *thread,
                                                             pthread_rwlock_t *lock, uint64_t id,
                                                             uint64_t key, uintptr_t site, uintptr_t sp,
                                                             uint32_t context, uint8_t mode, bool nested) {
    lge_hold(thread, key, id, lock, site, sp, context, mode, LGR_LOCK_RWLOCK, 0, nested);
}

static int try_real(pthread_rwlock_t *lock, uint8_t mode) {
    return mode == LGR_SHARED ? lgi_real.rwlock_tryrdlock(lock) : lgi_real.rwlock_trywrlock(lock);
}

/* Where the hot path ends: a reader finds a lock that was written last, the chain
 * is in its far line, or the call site is inside a lock wrapper. */
__attribute__((noinline)) static int lock_other(struct lge_thread *thread, pthread_rwlock_t *lock,
                                                uint64_t id, uint8_t mode, uintptr_t site, uintptr_t sp) {
    struct lge_second_look look = lge_look_again(thread, id, mode, site, sp);
    if (!look.known || try_real(lock, mode) != 0)
        return lgi_rwlock_lock(lock, mode, site, sp, NULL);
    push_known(thread, lock, id, look.key, site, sp, look.context, mode, look.nested);
    return 0;
}

/* True when the lock was taken the way that is usual for the mode. */
static inline bool take(pthread_rwlock_t *lock, uint8_t mode) {
    if (mode == LGR_EXCLUSIVE)
        return lgi_real.rwlock_trywrlock(lock) == 0;
    return lge_hot.fast_rwlock && lgi_fast_rdlock(lock);
}

__attribute__((always_inline)) static inline int lock_fast(struct lge_thread *thread, pthread_rwlock_t *lock,
                                                           uint64_t id, uint8_t mode, uintptr_t site,
                                                           uintptr_t sp) {
    struct lge_held *top = thread->top;
    bool nested = top != thread->base;
    uint64_t below = nested ? top->key : LGE_NO_HOLDS;
    uint64_t key = lge_chain_key(below, id, mode, lge_place(site, 0));
    if (LGI_UNLIKELY(!lge_site_plain(site) || (nested && !lge_known(thread, below, key))))
        return lock_other(thread, lock, id, mode, site, sp);
    if (LGI_UNLIKELY(!take(lock, mode)))
        return lock_other(thread, lock, id, mode, site, sp);
    push_known(thread, lock, id, key, site, sp, 0, mode, nested);
    return 0;
}

LGI_EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t *lock) {
    struct lge_thread *thread = lgi_self();
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    uint64_t id = fast_id(thread, lock);
    if (LGI_UNLIKELY(id == 0))
        return lgi_rwlock_lock(lock, LGR_SHARED, site, sp, NULL);
    return lock_fast(thread, lock, id, LGR_SHARED, site, sp);
}

LGI_EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t *lock) {
    struct lge_thread *thread = lgi_self();
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    uint64_t id = fast_id(thread, lock);
    if (LGI_UNLIKELY(id == 0 || !writer_told(lock, id)))
        return lgi_rwlock_lock(lock, LGR_EXCLUSIVE, site, sp, NULL);
    return lock_fast(thread, lock, id, LGR_EXCLUSIVE, site, sp);
}

/* Not the newest hold, not held by us at all, or not tracked. */
__attribute__((noinline)) int lgi_rwlock_unlock(pthread_rwlock_t *lock, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return lgi_real.rwlock_unlock(lock);
    lge_releasing(thread, lock, site, sp);
    if (!lge_released(thread, lock)) {
        const struct lgi_rwlock_call call = {thread, lock, lgi_rwlock_identity(thread, lock, site, sp), site,
                                             sp};
        lgi_rwlock_look_at_unlock(&call);
        tell_handed_over(lock);
    }
    int result = lgi_real.rwlock_unlock(lock);
    lgi_leave(thread);
    return result;
}

LGI_EXPORT int pthread_rwlock_unlock(pthread_rwlock_t *lock) {
    struct lge_thread *thread = lgi_self();
    if (LGI_UNLIKELY(thread == NULL || thread->top->address != lock))
        return lgi_rwlock_unlock(lock, LGI_SITE(), LGI_SP());
    bool fast = thread->top->mode == LGR_SHARED && lge_hot.fast_rwlock;
    thread->top--;
    return LGI_LIKELY(fast && lgi_fast_rdunlock(lock)) ? 0 : lgi_real.rwlock_unlock(lock);
}

/* ---- requests ---- */

/* What is left in the tag of a destroyed lock until somebody initialises one
 * there: a bit of its check word that lge_tag_known looks at. */
static const uint64_t destroyed_bit = (uint64_t)1 << 40;

static void mark_destroyed(pthread_rwlock_t *lock, uint64_t id) {
    atomic_store_explicit(&tag_of(lock)->check, lge_tag_check(id, lock) ^ destroyed_bit,
                          memory_order_relaxed);
}
static bool was_destroyed(pthread_rwlock_t *lock) {
    uint64_t id = atomic_load_explicit(&tag_of(lock)->id, memory_order_relaxed);
    uint64_t check = atomic_load_explicit(&tag_of(lock)->check, memory_order_relaxed);
    return id != 0 && ((check ^ lge_tag_check(id, lock)) & ~(uint64_t)LGE_TAG_TURNS) == destroyed_bit;
}

static bool tagged(const pthread_rwlock_t *lock) { return use_tags && lock->__data.__shared == 0; }

uint64_t lgi_rwlock_identity(struct lge_thread *thread, pthread_rwlock_t *lock, uintptr_t site,
                             uintptr_t sp) {
    if (!tagged(lock))
        return lge_identity_table_first_use(thread, lock, site, sp);
    uint64_t id = lge_tag_id(tag_of(lock), lock);
    if (id != 0)
        return id;
    if (was_destroyed(lock))
        lgi_rwlock_report_destroyed(&(struct lgi_rwlock_call){thread, lock, 0, site, sp});
    return lge_identity_tag_first_use(thread, tag_of(lock), lock, site, sp);
}

uint64_t lgi_rwlock_known(pthread_rwlock_t *lock) {
    return tagged(lock) ? lge_tag_known(tag_of(lock), lock) : lge_identity_table_known(lock);
}

uint64_t lgi_rwlock_forget(pthread_rwlock_t *lock) {
    if (!tagged(lock))
        return lge_identity_table_forget(lock);
    uint64_t id = lgi_rwlock_known(lock);
    atomic_store_explicit(&tag_of(lock)->id, 0, memory_order_relaxed);
    return id;
}

uint64_t lgi_rwlock_declared(struct lge_thread *thread, pthread_rwlock_t *lock, uint32_t class_id) {
    return tagged(lock) ? lge_identity_tag_declared(thread, tag_of(lock), lock, class_id)
                        : lge_identity_table_declared(thread, lock, class_id);
}

/* Reading again is allowed where readers do not queue.  Another process may stop
 * reading for us. */
static uint8_t flags_of(const pthread_rwlock_t *lock, uint64_t id, uint8_t mode,
                        const struct lgi_limit *limit) {
    unsigned flags = lgi_limit_flags(limit);
    if (handed_over(lock, id) || lock->__data.__shared != 0)
        flags |= LGE_HOLDERS_UNKNOWN;
    if (lgi_rwlock_prefers_writers(lock))
        flags |= LGE_WRITER_PREFERRED;
    else if (mode == LGR_SHARED)
        flags |= LGE_RECURSIVE;
    return (uint8_t)flags;
}

static struct lge_request request_of(struct lge_thread *thread, pthread_rwlock_t *lock, uint8_t mode,
                                     uintptr_t site, uintptr_t sp, const struct lgi_limit *limit) {
    uint64_t id = lgi_rwlock_identity(thread, lock, site, sp);
    return (struct lge_request){
        .address = lock,
        .id = id,
        .site = site,
        .sp = sp,
        .context = lge_context_at_site(thread, site, sp),
        .mode = mode,
        .kind = LGR_LOCK_RWLOCK,
        .flags = flags_of(lock, id, mode, limit),
        .attributes = lock->__data.__shared != 0 ? LGR_LOCK_PSHARED : 0,
    };
}

/* ---- lock ---- */

int lgi_rwlock_pass_through(pthread_rwlock_t *lock, uint8_t mode, const struct lgi_limit *limit) {
    bool shared = mode == LGR_SHARED;
    struct lgi_limit absolute;
    struct timespec at;
    limit = lgi_limit_absolute(limit, &absolute, &at);
    if (limit == NULL)
        return shared ? lgi_real.rwlock_rdlock(lock) : lgi_real.rwlock_wrlock(lock);
    if (limit->by_clock)
        return shared ? lgi_real.rwlock_clockrdlock(lock, limit->clock, limit->at)
                      : lgi_real.rwlock_clockwrlock(lock, limit->clock, limit->at);
    return shared ? lgi_real.rwlock_timedrdlock(lock, limit->at)
                  : lgi_real.rwlock_timedwrlock(lock, limit->at);
}

/* EBUSY may be EDEADLK to a call that waits, and any other error is glibc's own
 * to name. */
static int lock_tracked(struct lge_thread *thread, pthread_rwlock_t *lock, struct lge_request *request,
                        const struct lgi_limit *limit) {
    int result = try_real(lock, request->mode);
    if (result == EBUSY)
        return lgi_rwlock_wait(thread, lock, request, limit);
    return result == 0 ? 0 : lgi_rwlock_pass_through(lock, request->mode, limit);
}

/* All timed calls look at their arguments even when the lock is free; trying
 * first would let wrong ones through. */
__attribute__((noinline)) int lgi_rwlock_lock(pthread_rwlock_t *lock, uint8_t mode, uintptr_t site,
                                              uintptr_t sp, const struct lgi_limit *limit) {
    struct lge_thread *thread =
        limit == NULL || limit->after_ms != 0 || lgi_limit_valid(limit) ? lgi_enter() : NULL;
    if (thread == NULL)
        return lgi_rwlock_pass_through(lock, mode, limit);
    struct lge_request request = request_of(thread, lock, mode, site, sp, limit);
    lge_check(thread, &request);
    if (mode == LGR_EXCLUSIVE && !(request.flags & LGE_TIMED)) /* who gives up is not all there is to tell */
        tell_writer(lock, request.id);
    int result = lock_tracked(thread, lock, &request, limit);
    if (result == 0)
        lge_acquired(thread, &request);
    else
        lgi_rwlock_look_at_result(&(struct lgi_rwlock_call){thread, lock, request.id, site, sp}, result);
    lgi_leave(thread);
    return result;
}

int lgi_rwlock_trylock(pthread_rwlock_t *lock, uint8_t mode, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    int result = try_real(lock, mode);
    if (thread == NULL)
        return result;
    if (result == 0) {
        struct lge_request request = request_of(thread, lock, mode, site, sp, NULL);
        lge_acquired(thread, &request);
    }
    lgi_leave(thread);
    return result;
}

/* As a request it closes no cycle, so there is nothing to know. */
static inline int try_known(pthread_rwlock_t *lock, uint8_t mode, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_self();
    uint64_t id = fast_id(thread, lock);
    if (LGI_UNLIKELY(id == 0 || lge_site_wants_context(site)))
        return lgi_rwlock_trylock(lock, mode, site, sp);
    int result = try_real(lock, mode);
    if (result == 0) {
        uint64_t key = lge_chain_key(thread->top->key, id, mode, lge_place(site, 0));
        push_known(thread, lock, id, key, site, sp, 0, mode, thread->top != thread->base);
    }
    return result;
}

LGI_EXPORT int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock) {
    return try_known(lock, LGR_SHARED, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t *lock) {
    return try_known(lock, LGR_EXCLUSIVE, LGI_SITE(), LGI_SP());
}

/* glibc waits for ever where it is given no time; its header tells the compiler
 * that there always is one. */
static bool no_time(const struct timespec *at) {
    __asm__("" : "+r"(at));
    return at == NULL;
}

LGI_EXPORT int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *at) {
    struct lgi_limit limit = {.clock = CLOCK_REALTIME, .at = at, .by_clock = false};
    return lgi_rwlock_lock(lock, LGR_SHARED, LGI_SITE(), LGI_SP(), no_time(at) ? NULL : &limit);
}

LGI_EXPORT int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *at) {
    struct lgi_limit limit = {.clock = CLOCK_REALTIME, .at = at, .by_clock = false};
    return lgi_rwlock_lock(lock, LGR_EXCLUSIVE, LGI_SITE(), LGI_SP(), no_time(at) ? NULL : &limit);
}

LGI_EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock,
                                          const struct timespec *at) {
    struct lgi_limit limit = {.clock = clock, .at = at, .by_clock = true};
    return lgi_rwlock_lock(lock, LGR_SHARED, LGI_SITE(), LGI_SP(), no_time(at) ? NULL : &limit);
}

LGI_EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock,
                                          const struct timespec *at) {
    struct lgi_limit limit = {.clock = clock, .at = at, .by_clock = true};
    return lgi_rwlock_lock(lock, LGR_EXCLUSIVE, LGI_SITE(), LGI_SP(), no_time(at) ? NULL : &limit);
}

/* ---- life of a rwlock ---- */

static void initialised(pthread_rwlock_t *lock, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    if (tagged(lock))
        lge_identity_tag_initialised(thread, tag_of(lock), lock, site, sp);
    else
        lge_identity_table_initialised(thread, lock, site, sp);
    lgi_leave(thread);
}

static void look_at_init(pthread_rwlock_t *lock, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    uint64_t id = use_tags ? lge_tag_known(tag_of(lock), lock) : 0;
    lgi_rwlock_look_at_init(&(struct lgi_rwlock_call){thread, lock, id, site, sp});
    lge_released(thread, lock);
    lgi_leave(thread);
}

LGI_EXPORT int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    look_at_init(lock, site, sp);
    int result = lgi_real.rwlock_init(lock, attributes);
    if (result == 0)
        initialised(lock, site, sp);
    return result;
}

/* The identity goes only when glibc agreed to destroy; its memory is the
 * program's again as soon as the call returns, so the tag is changed here. */
static int destroy_tracked(struct lge_thread *thread, pthread_rwlock_t *lock, uintptr_t site, uintptr_t sp) {
    bool has_tag = tagged(lock);
    uint64_t id = lgi_rwlock_known(lock);
    const struct lgi_rwlock_call call = {thread, lock, id, site, sp};
    lgi_rwlock_look_at_destroy(&call);
    int result = lgi_real.rwlock_destroy(lock);
    if (result != 0)
        return result;
    if (!has_tag)
        id = lge_identity_table_forget(lock);
    if (id != 0)
        lge_lock_destroyed(id);
    if (has_tag && id != 0) {
        mark_destroyed(lock, id);
        lgi_rwlock_note_destroyed(&call);
    }
    return 0;
}

LGI_EXPORT int pthread_rwlock_destroy(pthread_rwlock_t *lock) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return lgi_real.rwlock_destroy(lock);
    int result = destroy_tracked(thread, lock, site, sp);
    lgi_leave(thread);
    return result;
}

bool lgi_rwlock_alive(const void *address, uint64_t id, uint8_t attributes) {
    if (!use_tags || (attributes & LGR_LOCK_PSHARED) != 0)
        return lge_identity_table_has(address, id);
    pthread_rwlock_t copy;
    if (!lgp_read_safely(&copy, address, sizeof copy))
        return false;
    return lge_tag_known(tag_of(&copy), address) == id;
}

/* ---- start ---- */

static bool has_room(const pthread_rwlock_t *lock, uint8_t pattern) {
    uint8_t wanted[sizeof(struct lge_tag)];
    memset(wanted, pattern, sizeof wanted);
    return memcmp((const char *)lock + TAG_OFFSET, wanted, sizeof wanted) == 0 &&
           memcmp(&lock->__data.__pad3, wanted, sizeof lock->__data.__pad3) == 0 &&
           memcmp(&lock->__data.__pad4, wanted, sizeof lock->__data.__pad4) == 0;
}

static bool use_all(pthread_rwlock_t *lock) {
    return lgi_real.rwlock_rdlock(lock) == 0 && lgi_real.rwlock_tryrdlock(lock) == 0 &&
           lgi_real.rwlock_trywrlock(lock) == EBUSY && lgi_real.rwlock_unlock(lock) == 0 &&
           lgi_real.rwlock_unlock(lock) == 0 && lgi_real.rwlock_wrlock(lock) == 0 &&
           lgi_real.rwlock_tryrdlock(lock) == EBUSY && lgi_real.rwlock_unlock(lock) == 0 &&
           lgi_real.rwlock_trywrlock(lock) == 0 && lgi_real.rwlock_unlock(lock) == 0 &&
           lgi_real.rwlock_rdlock(lock) == 0 && lgi_real.rwlock_unlock(lock) == 0;
}

/* Initialising clears the room, nothing else touches it. */
static bool room_is_ours(void) {
    enum { DIRTY = 0xff, OURS = 0xa5 };
    pthread_rwlock_t lock;
    memset(&lock, DIRTY, sizeof lock);
    if (lgi_real.rwlock_init(&lock, NULL) != 0 || !has_room(&lock, 0))
        return false;
    memset((char *)&lock + TAG_OFFSET, OURS, sizeof(struct lge_tag));
    memset(&lock.__data.__pad3, OURS, sizeof lock.__data.__pad3);
    memset(&lock.__data.__pad4, OURS, sizeof lock.__data.__pad4);
    return use_all(&lock) && has_room(&lock, OURS) && lgi_real.rwlock_destroy(&lock) == 0;
}

void lgi_rwlock_start(bool tags) {
    use_tags = tags && room_is_ours();
    lgi_rwlock_fast_start();
}
