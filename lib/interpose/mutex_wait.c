#include "interpose/mutex_wait.h"

#include <errno.h>

#include "interpose/mutex_kind.h"
#include "interpose/on_deadlock.h"
#include "interpose/real.h"
#include "interpose/wait_slices.h"

enum { SECOND = 1000000000 };

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

static int wait_in_slices(struct lge_thread *thread, pthread_mutex_t *mutex, const struct lgi_limit *limit) {
    struct lgi_slices slices = lgi_slices_start(slice_clock(mutex), limit);
    for (;;) {
        const struct timespec *until = lgi_slice_begin(&slices);
        int result = lgi_real.mutex_clocklock(mutex, slices.clock, until);
        if (result != ETIMEDOUT || slices.last)
            return result;
        lgi_slice_passed(thread);
    }
}

int lgi_mutex_wait(struct lge_thread *thread, pthread_mutex_t *mutex, const struct lge_request *request,
                   const struct lgi_limit *limit) {
    if (answers_at_once(mutex, thread) || !valid(limit))
        return lgi_mutex_pass_through(mutex, limit);
    if (lge_wait_begin(thread, request, &mutex->__data.__owner))
        lgi_on_deadlock();
    int result = wait_in_slices(thread, mutex, limit);
    lge_wait_end(thread);
    return result;
}
