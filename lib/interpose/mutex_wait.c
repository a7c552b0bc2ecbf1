#include "interpose/mutex_wait.h"

#include <errno.h>

#include "interpose/mutex_kind.h"
#include "interpose/on_deadlock.h"
#include "interpose/real.h"
#include "interpose/wait_slices.h"
#include "platform/system.h"

enum { SECOND = 1000000000 };

/* How often a busy mutex is looked at before its wait is told and slept through:
 * less than a microsecond, the price of sleeping and being woken.  0 where no
 * other processor could give it up meanwhile.  Written by the constructor. */
enum { LOOKS = 24 };
static int looks = LOOKS;

void lgi_mutex_wait_start(void) { looks = lgp_several_processors() ? LOOKS : 0; }

/* glibc answers an error-checking mutex's owner at once. */
static bool answers_at_once(const pthread_mutex_t *mutex, const struct lge_thread *thread) {
    return (lgi_kind_of(mutex) & LGI_TYPE_BITS) == PTHREAD_MUTEX_ERRORCHECK &&
           (uint32_t)__atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED) ==
               atomic_load_explicit(&thread->tid, memory_order_relaxed);
}

static bool valid(const struct lgi_limit *limit) {
    return limit == NULL || (limit->at->tv_nsec >= 0 && limit->at->tv_nsec < SECOND);
}

/* Timed waits for priority-inheritance mutexes on the monotonic clock need a
 * recent kernel; the realtime clock always works. */
static clockid_t slice_clock(const pthread_mutex_t *mutex) {
    return lgi_kind_of(mutex) & LGI_PRIO_INHERIT ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

static int wait_in_slices(struct lge_thread *thread, pthread_mutex_t *mutex,
                          const struct lge_request *request, const struct lgi_limit *limit) {
    struct lgi_slices slices = lgi_slices_start(thread, slice_clock(mutex), limit);
    for (;;) {
        const struct timespec *until = lgi_slice_begin(&slices);
        lgi_block();
        int result = lgi_real.mutex_clocklock(mutex, slices.clock, until);
        lgi_unblock();
        if (result != ETIMEDOUT || slices.last)
            return result;
        lgi_slice_passed(thread, request, lgi_mutex_owner(mutex));
    }
}

/* Held for a moment only, a normal or recursive mutex is got without a wait.  EBUSY:
 * it was not given up, or is of a kind with more to it. */
static int look_again(pthread_mutex_t *mutex) {
    int result = EBUSY;
    if ((lgi_kind_of(mutex) & LGI_KIND_BITS & ~LGI_TYPE_BITS) != 0)
        return result;
    for (int look = 0; look < looks && result == EBUSY; look++) {
        lgp_pause();
        if (__atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED) == 0)
            result = lgi_real.mutex_trylock(mutex);
    }
    return result;
}

int lgi_mutex_wait(struct lge_thread *thread, pthread_mutex_t *mutex, const struct lge_request *request,
                   const struct lgi_limit *limit) {
    struct lgi_limit absolute;
    struct timespec at;
    limit = lgi_limit_absolute(limit, &absolute, &at);
    if (limit != NULL && limit->at == NULL)
        limit = NULL; /* glibc waits for ever */
    if (answers_at_once(mutex, thread) || !valid(limit))
        return lgi_mutex_pass_through(mutex, limit);
    if (look_again(mutex) == 0)
        return 0;
    if (lge_wait_begin(thread, request, lgi_mutex_owner(mutex)))
        lgi_on_deadlock();
    int result = wait_in_slices(thread, mutex, request, limit);
    lgi_limit_passed(thread, limit, result);
    lge_wait_end(thread);
    return result;
}
