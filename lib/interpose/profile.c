#include "interpose/profile.h"

#include "engine/hold_times.h"
#include "engine/usage.h"
#include "interpose/mutex.h"
#include "interpose/mutex_hot.h"
#include "interpose/self.h"
#include "platform/ticks.h"

bool lgi_profiled;

/* Who logs every call is not in a hurry, and limits are made of what every hold lasted. */
void lgi_profile_start(bool profile, bool adaptive, bool exact) {
    if (profile || adaptive)
        lgp_ticks_start();
    lgi_profiled = profile && !adaptive && !lgi_all_slow;
    lgi_all_slow |= profile;
    if (lgi_profiled && !exact)
        lgp_jiffy_start();
}

static inline struct lge_thread *outside(void) {
    struct lge_thread *thread = lgi_local.block;
    if (lgi_local.inside || thread == NULL || thread->handlers.depth != 0)
        return NULL;
    return atomic_load_explicit(&lgi_up, memory_order_relaxed) ? thread : NULL;
}

__attribute__((noinline)) static int begin_timed(struct lge_class_times *times, struct lge_held *held) {
    lge_sample_begins_timed(times, held);
    return 0;
}

/* Of a class that was not taken just before. */
__attribute__((noinline)) static int begin_of_another(struct lge_thread *thread) {
    struct lge_held *held = thread->top;
    struct lge_class_times *times = lge_class_times_of(thread, lge_class_in(held->id));
    if (times == NULL)
        lge_hold_begins(held);
    else if (!lge_sample_begins(times, held))
        lge_sample_begins_timed(times, held);
    return 0;
}

/* The hold that was just taken.  Always 0: what the lock call returns. */
__attribute__((always_inline)) static inline int begin(struct lge_thread *thread, uint64_t id) {
    struct lge_class_times *times = lge_class_times_again(thread, lge_class_in(id));
    if (LGI_UNLIKELY(times == NULL))
        return begin_of_another(thread);
    return LGI_LIKELY(lge_sample_begins(times, thread->top)) ? 0 : begin_timed(times, thread->top);
}

__attribute__((noinline)) static int lock_other(struct lge_thread *thread, pthread_mutex_t *mutex,
                                                uint64_t id, uintptr_t site, uintptr_t sp) {
    struct lge_second_look look = lge_look_again(thread, id, LGR_EXCLUSIVE, site, sp);
    if (look.known &&
        lgi_mutex_take_known(thread, mutex, id, look.key, site, sp, look.context, 0, look.nested))
        return begin(thread, id);
    return lgi_mutex_lock(mutex, site, sp, NULL);
}

/* As pthread_mutex_lock; mutex.c. */
int lgi_profiled_lock(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = outside();
    uint64_t id = lgi_mutex_fast_id(thread, mutex);
    if (LGI_UNLIKELY(id == 0))
        return lgi_mutex_lock(mutex, site, sp, NULL);
    bool nested = thread->top != thread->base;
    uint64_t below = nested ? thread->top->key : LGE_NO_HOLDS;
    uint64_t key = lge_chain_key(below, id, LGR_EXCLUSIVE, lge_place(site, 0));
    if (LGI_UNLIKELY(!lge_site_plain(site) || (nested && !lge_known(thread, below, key))))
        return lock_other(thread, mutex, id, site, sp);
    if (LGI_LIKELY(lgi_mutex_take_known(thread, mutex, id, key, site, sp, 0, 0, nested)))
        return begin(thread, id);
    return lgi_mutex_lock(mutex, site, sp, NULL);
}

/* Now and then, for what a kill would take away. */
__attribute__((noinline)) static int write_sometimes(int result) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return result;
    lge_usages_write_sometimes(lgp_monotonic_ns());
    lgi_leave(thread);
    return result;
}

/* Timed, or (`times` NULL) of a class that was not taken just before.  The hold is over when
 * the clock is read: what follows is not waited for. */
__attribute__((noinline)) static int unlock_otherwise(struct lge_thread *thread,
                                                      struct lge_class_times *times, pthread_mutex_t *mutex,
                                                      uintptr_t site, uintptr_t sp) {
    enum { OFTEN = 1 << 14 };
    const struct lge_held *held = thread->top;
    if (times == NULL)
        times = lge_class_times_of(thread, lge_class_in(held->id));
    if (times == NULL || (lge_held_marks(held) & LGE_HOLD_SAMPLED) == 0)
        return lgi_mutex_unlock(mutex, site, sp);
    uint64_t more = 0, count = lge_sample_passes(times, held) ? 0 : lge_sample_ends(times, held, &more);
    thread->top--;
    int result = lgi_fast_unlock(mutex);
    return LGI_LIKELY(count / OFTEN == (count - more) / OFTEN) ? result : write_sometimes(result);
}

int lgi_profiled_unlock(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = outside();
    if (!lgi_mutex_is_newest(thread, mutex))
        return lgi_mutex_unlock(mutex, site, sp);
    const struct lge_held *held = thread->top;
    struct lge_class_times *times = lge_class_times_again(thread, lge_class_in(held->id));
    if (LGI_UNLIKELY(times == NULL || !lge_sample_passes(times, held)))
        return unlock_otherwise(thread, times, mutex, site, sp);
    thread->top--;
    return lgi_fast_unlock(mutex);
}
