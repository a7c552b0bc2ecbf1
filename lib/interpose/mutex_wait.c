#include "interpose/mutex_wait.h"

#include <errno.h>

#include "interpose/on_deadlock.h"
#include "interpose/real.h"
#include "interpose/runtime.h"
#include "platform/system.h"

enum {
    LONGEST_SLICE_MS = 1000,
    ERRORCHECK = PTHREAD_MUTEX_ERRORCHECK,
    PRIO_INHERIT = 32,
    SECOND = 1000000000
};

static uint64_t first_slice_ns = 2000000;

void lgi_mutex_wait_start(uint32_t wait_slice_ms) { first_slice_ns = wait_slice_ms * UINT64_C(1000000); }

/* glibc answers an error-checking mutex's owner at once. */
static bool answers_at_once(const pthread_mutex_t *mutex, const struct lge_thread *thread) {
    return (mutex->__data.__kind & 3) == ERRORCHECK &&
           (uint32_t)__atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED) ==
               atomic_load_explicit(&thread->tid, memory_order_relaxed);
}

static bool valid(const struct lgi_limit *limit) {
    return limit == NULL || (limit->at->tv_nsec >= 0 && limit->at->tv_nsec < SECOND);
}

static bool not_later(const struct timespec *a, const struct timespec *b) {
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec <= b->tv_nsec;
}

/* Timed waits for priority-inheritance mutexes on the monotonic clock need a
 * recent kernel; the realtime clock always works. */
static clockid_t slice_clock(const pthread_mutex_t *mutex, const struct lgi_limit *limit) {
    if (limit != NULL)
        return limit->clock;
    return mutex->__data.__kind & PRIO_INHERIT ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

static struct timespec after(clockid_t clock, uint64_t ns) {
    uint64_t now = (clock == CLOCK_REALTIME ? lgp_realtime_ns() : lgp_monotonic_ns()) + ns;
    return (struct timespec){.tv_sec = (time_t)(now / SECOND), .tv_nsec = (long)(now % SECOND)};
}

/* One slice; *last when it ended at the program's own limit. */
static int wait_slice(pthread_mutex_t *mutex, clockid_t clock, uint64_t slice, const struct lgi_limit *limit,
                      bool *last) {
    struct timespec until = after(clock, slice);
    *last = limit != NULL && not_later(limit->at, &until);
    return lgi_real.mutex_clocklock(mutex, clock, *last ? limit->at : &until);
}

static int wait_in_slices(struct lge_thread *thread, pthread_mutex_t *mutex, const struct lgi_limit *limit) {
    clockid_t clock = slice_clock(mutex, limit);
    uint64_t slice = first_slice_ns;
    for (;;) {
        bool last;
        int result = wait_slice(mutex, clock, slice, limit, &last);
        if (result != ETIMEDOUT || last)
            return result;
        bool deadlock = lge_wait_again(thread);
        lgi_write_figures();
        if (deadlock)
            lgi_on_deadlock();
        slice = slice * 4 < LONGEST_SLICE_MS * UINT64_C(1000000) ? slice * 4
                                                                 : LONGEST_SLICE_MS * UINT64_C(1000000);
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
