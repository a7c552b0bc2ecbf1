/* pthread_spin_*: POSIX.1-2017 pthread_spin_lock(3p) and neighbours.
 *
 * One int has no room for a tag, so a spinlock's tag is beside it
 * (engine/side_tag.h); pthread_spin_init and pthread_spin_destroy tell when the
 * memory changes hands.  Locking and unlocking are the hot path. */
#include "interpose/spin.h"

#include <errno.h>
#include <pthread.h>

#include "engine/context.h"
#include "engine/hot_path.h"
#include "engine/identity.h"
#include "engine/overlong.h"
#include "engine/side_tag.h"
#include "interpose/real.h"
#include "interpose/self.h"
#include "interpose/spin_fast.h"
#include "interpose/spin_misuse.h"
#include "interpose/spin_wait.h"

static const void *address_of(const pthread_spinlock_t *lock) { return (const void *)(uintptr_t)lock; }

/* ---- any path ---- */

static void make_request(struct lge_thread *thread, pthread_spinlock_t *lock, uintptr_t site, uintptr_t sp,
                         struct lge_request *request) {
    uint64_t id = lgi_spin_identity(&(struct lgi_spin_call){thread, lock, site, sp});
    *request = (struct lge_request){
        .address = address_of(lock),
        .id = id,
        .site = site,
        .sp = sp,
        .context = lge_context_at_site(thread, site, sp),
        .mode = LGR_EXCLUSIVE,
        .kind = LGR_LOCK_SPIN,
        .attributes = lge_identity_table_shared(id) ? LGR_LOCK_PSHARED : 0,
    };
}

__attribute__((noinline)) int lgi_spin_lock(pthread_spinlock_t *lock, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return lgi_real.spin_lock(lock);
    struct lge_request request;
    make_request(thread, lock, site, sp, &request);
    lge_check(thread, &request);
    if (lgi_real.spin_trylock(lock) != 0)
        lgi_spin_wait(thread, lock, &request);
    lge_acquired(thread, &request);
    lgi_leave(thread);
    return 0;
}

__attribute__((noinline)) int lgi_spin_trylock(pthread_spinlock_t *lock, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    int result = lgi_real.spin_trylock(lock);
    if (thread == NULL)
        return result;
    if (result == 0) {
        struct lge_request request;
        make_request(thread, lock, site, sp, &request);
        lge_acquired(thread, &request);
    }
    lgi_leave(thread);
    return result;
}

/* Not the newest hold, not held by us at all, or not tracked. */
__attribute__((noinline)) int lgi_spin_unlock(pthread_spinlock_t *lock, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return lgi_real.spin_unlock(lock);
    lge_releasing(thread, address_of(lock), site, sp);
    if (!lge_released(thread, address_of(lock)))
        lgi_spin_look_at_unlock(&(struct lgi_spin_call){thread, lock, site, sp});
    int result = lgi_real.spin_unlock(lock);
    lgi_leave(thread);
    return result;
}

uint64_t lgi_spin_declared(struct lge_thread *thread, pthread_spinlock_t *lock, uint32_t class_id) {
    return lge_identity_table_declared(thread, address_of(lock), class_id);
}

/* ---- the hot path ---- */

/* The lock's id when the fast path may be taken, else 0. */
static inline uint64_t fast_id(const struct lge_thread *thread, const pthread_spinlock_t *lock) {
    if (LGI_UNLIKELY(thread == NULL || !lge_hot.fast_spin || thread->top == thread->last))
        return 0;
    return lge_side_id(address_of(lock));
}

__attribute__((always_inline)) static inline bool take_known(struct lge_thread *thread,
                                                             pthread_spinlock_t *lock, uint64_t id,
                                                             uint64_t key, uintptr_t site, uintptr_t sp,
                                                             uint32_t context, bool nested) {
    if (LGI_UNLIKELY(!lgi_spin_take(lock)))
        return false;
    lge_hold(thread, key, id, address_of(lock), site, sp, context, LGR_EXCLUSIVE, LGR_LOCK_SPIN, 0, nested);
    return true;
}

/* A chain in its far line, or a call inside a lock wrapper; see mutex.c. */
__attribute__((noinline)) static int lock_other(struct lge_thread *thread, pthread_spinlock_t *lock,
                                                uint64_t id, uintptr_t site, uintptr_t sp) {
    struct lge_second_look look = lge_look_again(thread, id, LGR_EXCLUSIVE, site, sp);
    if (look.known && take_known(thread, lock, id, look.key, site, sp, look.context, look.nested))
        return 0;
    return lgi_spin_lock(lock, site, sp);
}

LGI_EXPORT int pthread_spin_lock(pthread_spinlock_t *lock) {
    struct lge_thread *thread = lgi_self();
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    uint64_t id = fast_id(thread, lock);
    if (LGI_UNLIKELY(id == 0))
        return lgi_spin_lock(lock, site, sp);
    struct lge_held *top = thread->top;
    bool nested = top != thread->base;
    uint64_t below = nested ? top->key : LGE_NO_HOLDS;
    uint64_t key = lge_chain_key(below, id, LGR_EXCLUSIVE, lge_place(site, 0));
    if (LGI_UNLIKELY(!lge_site_plain(site) || (nested && !lge_known(thread, below, key))))
        return lock_other(thread, lock, id, site, sp);
    if (LGI_LIKELY(take_known(thread, lock, id, key, site, sp, 0, nested)))
        return 0;
    return lgi_spin_lock(lock, site, sp);
}

LGI_EXPORT int pthread_spin_trylock(pthread_spinlock_t *lock) {
    struct lge_thread *thread = lgi_self();
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    uint64_t id = fast_id(thread, lock);
    if (LGI_UNLIKELY(id == 0 || lge_site_wants_context(site)))
        return lgi_spin_trylock(lock, site, sp);
    uint64_t key = lge_chain_key(thread->top->key, id, LGR_EXCLUSIVE, lge_place(site, 0));
    return take_known(thread, lock, id, key, site, sp, 0, thread->top != thread->base) ? 0 : EBUSY;
}

LGI_EXPORT int pthread_spin_unlock(pthread_spinlock_t *lock) {
    struct lge_thread *thread = lgi_self();
    if (LGI_UNLIKELY(thread == NULL || thread->top->address != address_of(lock) || !lge_hot.fast_spin))
        return lgi_spin_unlock(lock, LGI_SITE(), LGI_SP());
    thread->top--;
    lgi_spin_give(lock);
    return 0;
}

/* ---- life of a spinlock ---- */

LGI_EXPORT int pthread_spin_init(pthread_spinlock_t *lock, int shared) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    struct lge_thread *thread = lgi_enter();
    if (thread != NULL)
        lgi_spin_look_at_init(&(struct lgi_spin_call){thread, lock, site, sp});
    int result = lgi_real.spin_init(lock, shared);
    if (thread != NULL) {
        uint64_t id = lge_identity_table_initialised(thread, address_of(lock), site, sp);
        if (shared == PTHREAD_PROCESS_SHARED)
            lge_identity_table_share(id);
        lgi_leave(thread);
    }
    return result;
}

LGI_EXPORT int pthread_spin_destroy(pthread_spinlock_t *lock) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    struct lge_thread *thread = lgi_enter();
    int result = lgi_real.spin_destroy(lock);
    if (thread != NULL) {
        uint64_t id = lge_identity_table_known(address_of(lock));
        lgi_spin_look_at_destroy(&(struct lgi_spin_call){thread, lock, site, sp}, id);
        lge_identity_table_forget(address_of(lock));
        if (id != 0)
            lge_lock_destroyed(id);
        lgi_leave(thread);
    }
    return result;
}

/* ---- start ---- */

static bool libc_is_next(void) {
    return lgi_real_is_libc("pthread_spin_lock", (void *)lgi_real.spin_lock) &&
           lgi_real_is_libc("pthread_spin_trylock", (void *)lgi_real.spin_trylock) &&
           lgi_real_is_libc("pthread_spin_unlock", (void *)lgi_real.spin_unlock);
}

/* libc locks as we would, and each unlocks what the other locked. */
static bool agrees_with_libc(void) {
    pthread_spinlock_t lock;
    if (lgi_real.spin_init(&lock, PTHREAD_PROCESS_PRIVATE) != 0 || lock != LGI_SPIN_FREE)
        return false;
    if (lgi_real.spin_lock(&lock) != 0 || lock != LGI_SPIN_HELD || lgi_spin_take(&lock))
        return false;
    lgi_spin_give(&lock);
    if (lgi_real.spin_trylock(&lock) != 0 || lgi_real.spin_unlock(&lock) != 0)
        return false;
    return lgi_spin_take(&lock) && lgi_real.spin_trylock(&lock) == EBUSY &&
           lgi_real.spin_unlock(&lock) == 0 && lock == LGI_SPIN_FREE;
}

void lgi_spin_start(void) { lge_hot.fast_spin = libc_is_next() && agrees_with_libc(); }
