/* lg_rwlock_*: include/lockgraph/rwlock.h. */
#include "interpose/rwlock.h"
#include "interpose/real.h"
#include "lockgraph/rwlock.h"
#include "wrapper/call.h"

/* ---- life ---- */

static int declared(lg_rwlock_t *l, const char *name, int level, bool keyed, uint64_t key) {
    int error = lgw_declare(&l->declared, name, level, keyed, key);
    if (error == 0)
        error = pthread_rwlock_init(&l->lock, NULL);
    struct lge_thread *thread = error == 0 ? lgi_enter() : NULL;
    if (thread == NULL)
        return error;
    uint32_t class_id = lgw_class(&l->declared);
    if (class_id != LGE_CLASS_NONE) { /* and not that of whatever made it */
        lgi_rwlock_forget(&l->lock);
        lgi_rwlock_declared(thread, &l->lock, class_id);
    }
    lgi_leave(thread);
    return 0;
}

LGI_EXPORT int lg_rwlock_init(lg_rwlock_t *l, const char *name, int level) {
    return declared(l, name, level, false, 0);
}

LGI_EXPORT int lg_rwlock_init_keyed(lg_rwlock_t *l, const char *name, int level, uint64_t key) {
    return declared(l, name, level, true, key);
}

LGI_EXPORT int lg_rwlock_destroy(lg_rwlock_t *l) { return pthread_rwlock_destroy(&l->lock); }

/* ---- lock ---- */

static uint64_t identify(struct lge_thread *thread, const struct lgw_call *call) {
    uint32_t class_id = lgw_class(call->declared);
    return class_id == LGE_CLASS_NONE
               ? 0
               : lgi_rwlock_declared(thread, (pthread_rwlock_t *)(uintptr_t)call->address, class_id);
}

static int lock(lg_rwlock_t *l, const struct lgw_call *call, const struct lgi_limit *limit) {
    int error = lgw_before(call, identify, false);
    return error != 0 ? error
                      : lgw_taken(call, lgi_rwlock_lock(&l->lock, call->mode, call->site, call->sp, limit));
}

static int try_lock(lg_rwlock_t *l, const struct lgw_call *call) {
    lgw_before(call, identify, true);
    return lgw_taken(call, lgi_rwlock_trylock(&l->lock, call->mode, call->site, call->sp));
}

LGI_EXPORT int lg_rwlock_rdlock(lg_rwlock_t *l) {
    struct lgw_call call = LGW_CALL(l, lock, LGR_LOCK_RWLOCK, LGR_SHARED);
    struct lgi_limit net;
    return lock(l, &call, lgw_net(&l->declared, &net));
}

LGI_EXPORT int lg_rwlock_wrlock(lg_rwlock_t *l) {
    struct lgw_call call = LGW_CALL(l, lock, LGR_LOCK_RWLOCK, LGR_EXCLUSIVE);
    struct lgi_limit net;
    return lock(l, &call, lgw_net(&l->declared, &net));
}

LGI_EXPORT int lg_rwlock_tryrdlock(lg_rwlock_t *l) {
    struct lgw_call call = LGW_CALL(l, lock, LGR_LOCK_RWLOCK, LGR_SHARED);
    return try_lock(l, &call);
}

LGI_EXPORT int lg_rwlock_trywrlock(lg_rwlock_t *l) {
    struct lgw_call call = LGW_CALL(l, lock, LGR_LOCK_RWLOCK, LGR_EXCLUSIVE);
    return try_lock(l, &call);
}

LGI_EXPORT int lg_rwlock_timedrdlock(lg_rwlock_t *l, int32_t ms) {
    struct lgw_call call = LGW_CALL(l, lock, LGR_LOCK_RWLOCK, LGR_SHARED);
    struct lgi_limit limit = lgw_after(ms);
    return lock(l, &call, &limit);
}

LGI_EXPORT int lg_rwlock_timedwrlock(lg_rwlock_t *l, int32_t ms) {
    struct lgw_call call = LGW_CALL(l, lock, LGR_LOCK_RWLOCK, LGR_EXCLUSIVE);
    struct lgi_limit limit = lgw_after(ms);
    return lock(l, &call, &limit);
}

LGI_EXPORT int lg_rwlock_rdlock_until(lg_rwlock_t *l, const struct timespec *at) {
    struct lgw_call call = LGW_CALL(l, lock, LGR_LOCK_RWLOCK, LGR_SHARED);
    struct lgi_limit limit = lgw_until(at);
    return lock(l, &call, &limit);
}

LGI_EXPORT int lg_rwlock_wrlock_until(lg_rwlock_t *l, const struct timespec *at) {
    struct lgw_call call = LGW_CALL(l, lock, LGR_LOCK_RWLOCK, LGR_EXCLUSIVE);
    struct lgi_limit limit = lgw_until(at);
    return lock(l, &call, &limit);
}

/* Not held by this thread, as far as is known: reported.  With nobody inside at
 * all, glibc would write a count of readers below none. */
LGI_EXPORT int lg_rwlock_unlock(lg_rwlock_t *l) { return lgi_rwlock_unlock(&l->lock, LGI_SITE(), LGI_SP()); }
