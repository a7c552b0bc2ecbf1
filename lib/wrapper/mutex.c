/* lg_mutex_*: include/lockgraph/mutex.h. */
#include "lockgraph/mutex.h"

#include "engine/hold_times.h"
#include "engine/level.h"
#include "engine/survivor.h"
#include "interpose/fork.h"
#include "interpose/mutex_hot.h"
#include "interpose/mutex_kind.h"
#include "interpose/mutex_misuse.h"
#include "interpose/real.h"
#include "wrapper/call.h"
#include "wrapper/pin.h"
#include "wrapper/several.h"

/* ---- life ---- */

static int initialise(lg_mutex_t *m, const char *name, int level, bool keyed, uint64_t key, uintptr_t site,
                      uintptr_t sp) {
    int error = lgw_declare(&m->declared, name, level, keyed, key);
    if (error != 0)
        return error;
    lgi_mutex_initialising(&m->mutex, site, sp);
    error = lgi_real.mutex_init(&m->mutex, NULL);
    struct lge_thread *thread = error == 0 ? lgi_enter() : NULL;
    if (thread == NULL)
        return error;
    uint32_t class_id = lgw_class(&m->declared);
    if (class_id != LGE_CLASS_NONE)
        lgi_mutex_declared(thread, &m->mutex, class_id);
    lgi_leave(thread);
    if (class_id == LGE_CLASS_NONE)
        lgi_mutex_initialised(&m->mutex, site, sp);
    return 0;
}

LGI_EXPORT int lg_mutex_init(lg_mutex_t *m, const char *name, int level) {
    return initialise(m, name, level, false, 0, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int lg_mutex_init_keyed(lg_mutex_t *m, const char *name, int level, uint64_t key) {
    return initialise(m, name, level, true, key, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int lg_mutex_destroy(lg_mutex_t *m) { return lgi_mutex_destroy(&m->mutex, LGI_SITE(), LGI_SP()); }

/* ---- lock ---- */

static uint64_t identify(struct lge_thread *thread, const struct lgw_call *call) {
    pthread_mutex_t *mutex = (pthread_mutex_t *)(uintptr_t)call->address;
    uint64_t id = lgi_mutex_known(mutex);
    uint32_t class_id = id == 0 ? lgw_class(call->declared) : LGE_CLASS_NONE;
    return class_id != LGE_CLASS_NONE ? lgi_mutex_declared(thread, mutex, class_id) : id;
}

/* ---- the hot path: that of pthread_mutex_lock, and the level ---- */

static inline bool level_allows(const struct lge_thread *thread, const struct lg_declared *declared) {
    return declared->level <= LG_NO_LEVEL ||
           lge_level_allows(thread, declared->level, declared->keyed != 0, declared->key);
}

/* What lgw_taken writes down of a hold that no level forbids. */
static bool take_known(struct lge_thread *thread, lg_mutex_t *m, const struct lgw_call *call, uint64_t id,
                       const struct lge_second_look *look) {
    uint8_t attributes = m->declared.level > LG_NO_LEVEL ? LGE_HELD_LEVEL : 0;
    if (!lgi_mutex_take_known(thread, &m->mutex, id, look->key, call->site, call->sp, look->context,
                              attributes, look->nested))
        return false;
    thread->top->order_key = m->declared.key;
    if (LGI_UNLIKELY(lgw_may_block(&m->declared)))
        lge_held_mark(thread->top, LGE_MAY_BLOCK);
    return true;
}

/* True: it is held now.  False: nothing was done, and all is to be looked at.  With
 * adaptive limits each hold of these locks is timed. */
static bool lock_at_once(lg_mutex_t *m, const struct lgw_call *call) {
    struct lge_thread *thread = lgi_self();
    uint64_t id = lgi_mutex_fast_id(thread, &m->mutex);
    if (LGI_UNLIKELY(id == 0 || lge_timing != 0))
        return false;
    struct lge_second_look look = lge_look_again(thread, id, LGR_EXCLUSIVE, call->site, call->sp);
    return look.known && (!look.nested || level_allows(thread, &m->declared)) &&
           take_known(thread, m, call, id, &look);
}

static int lock(lg_mutex_t *m, const struct lgw_call *call, const struct lgi_limit *limit) {
    int error = lgw_before(call, identify, false);
    return error != 0 ? error : lgw_taken(call, lgi_mutex_lock(&m->mutex, call->site, call->sp, limit));
}

/* With the limit that is declared. */
static inline int lock_within_net(lg_mutex_t *m, const struct lgw_call *call) {
    struct lgi_limit net;
    if (LGI_LIKELY(lock_at_once(m, call)))
        return 0;
    return lock(m, call, lgw_net(&m->declared, &net));
}

LGI_EXPORT int lg_mutex_lock(lg_mutex_t *m) {
    struct lgw_call call = LGW_CALL(m, mutex, LGR_LOCK_MUTEX, LGR_EXCLUSIVE);
    return lock_within_net(m, &call);
}

LGI_EXPORT int lg_mutex_timedlock(lg_mutex_t *m, int32_t ms) {
    struct lgw_call call = LGW_CALL(m, mutex, LGR_LOCK_MUTEX, LGR_EXCLUSIVE);
    if (LGI_LIKELY(lock_at_once(m, &call)))
        return 0;
    struct lgi_limit limit = lgw_after(ms);
    return lock(m, &call, &limit);
}

LGI_EXPORT int lg_mutex_lock_until(lg_mutex_t *m, const struct timespec *at) {
    struct lgw_call call = LGW_CALL(m, mutex, LGR_LOCK_MUTEX, LGR_EXCLUSIVE);
    if (LGI_LIKELY(lock_at_once(m, &call)))
        return 0;
    struct lgi_limit limit = lgw_until(at);
    return lock(m, &call, &limit);
}

LGI_EXPORT int lg_mutex_trylock(lg_mutex_t *m) {
    struct lgw_call call = LGW_CALL(m, mutex, LGR_LOCK_MUTEX, LGR_EXCLUSIVE);
    lgw_before(&call, identify, true);
    return lgw_taken(&call, lgi_mutex_trylock(&m->mutex, call.site, call.sp));
}

/* ---- unlock ---- */

/* In a forked child: held since before the fork, by its only thread that was left.  Its owner
 * field still names that by the id it had, perhaps two forks ago.  Where nothing is known of
 * the child it is libc's to say. */
static bool inherited(const struct lge_thread *thread, const lg_mutex_t *m, uint32_t owner) {
    if (!lgi_forked())
        return false;
    return !lgi_up || (owner != 0 && lge_holds(thread, &m->mutex) &&
                       (lge_survivor_by_tid(owner) == thread || lge_thread_by_tid(owner) == NULL));
}

/* Nobody's, or another thread's: giving it up would let two threads in. */
static bool held_by_other(const lg_mutex_t *m) {
    struct lge_thread *thread = lgi_local.block;
    uint32_t owner = lgi_mutex_state(&m->mutex).owner;
    return thread != NULL && owner != lge_thread_tid(thread) && !inherited(thread, m, owner);
}

static int not_held(lg_mutex_t *m, uintptr_t site, uintptr_t sp) {
    struct lgw_call call = LGW_CALL(m, mutex, LGR_LOCK_MUTEX, LGR_EXCLUSIVE);
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return EPERM;
    identify(thread, &call);
    if (lgi_mutex_usable(thread, &m->mutex, site, sp))
        lgi_mutex_look_at_unlock(thread, &m->mutex, site, sp);
    lgi_leave(thread);
    return EPERM;
}

static int unlock(lg_mutex_t *m, uintptr_t site, uintptr_t sp) {
    if (held_by_other(m))
        return not_held(m, site, sp);
    int error = lgw_unpinned(m, site, sp);
    return error != 0 ? error : lgi_mutex_unlock(&m->mutex, site, sp);
}

/* The newest hold, in fact its caller's, neither pinned nor timed. */
static inline bool plainly_held(const struct lge_thread *thread, const lg_mutex_t *m) {
    return lgi_mutex_is_newest(thread, &m->mutex) &&
           (uint32_t)__atomic_load_n(&m->mutex.__data.__owner, __ATOMIC_RELAXED) == lge_thread_tid(thread) &&
           (lge_held_marks(thread->top) & LGE_PINNED) == 0 && lge_timing == 0;
}

LGI_EXPORT int lg_mutex_unlock(lg_mutex_t *m) {
    struct lge_thread *thread = lgi_self();
    if (LGI_UNLIKELY(!plainly_held(thread, m)))
        return unlock(m, LGI_SITE(), LGI_SP());
    thread->top--;
    return lgi_fast_unlock(&m->mutex);
}

/* ---- several at once ---- */

int lgw_mutex_lock_for(lg_mutex_t *m, uintptr_t site, uintptr_t sp) {
    struct lgw_call call = LGW_CALL(m, mutex, LGR_LOCK_MUTEX, LGR_EXCLUSIVE);
    call.site = site;
    call.sp = sp;
    return lock_within_net(m, &call);
}

void lgw_mutex_unlock_for(lg_mutex_t *m, uintptr_t site, uintptr_t sp) { unlock(m, site, sp); }
