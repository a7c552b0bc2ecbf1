/* pthread_cond_*: a wait gives the mutex up and takes it again, inside libc and
 * past any interposer; POSIX.1-2017 pthread_cond_timedwait(3p).
 *
 * Cancellation: a cancelled waiter owns the mutex again before the program's
 * own clean-up handlers run, so the hold is put back by a handler of ours,
 * which is inner to them. */
#include <pthread.h>

#include "interpose/cond.h"
#include "interpose/mutex.h"
#include "interpose/real.h"

/* A mutex given up for the wait. */
struct given_up {
    struct lge_thread *thread; /* NULL: nothing to put back */
    struct lge_request request;
};

/* The re-acquisition is a blocking request under everything else still held:
 * checked now, because libc makes it without us. */
static void give_up(struct given_up *given, pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp) {
    given->thread = NULL;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL) return;
    if (lge_released(thread, mutex)) {
        lgi_mutex_request(thread, mutex, site, sp, &given->request);
        lge_check(thread, &given->request);
        given->thread = thread;
    }
    lgi_leave(thread);
}

static void take_back(void *argument) {
    struct given_up *given = argument;
    if (given->thread == NULL) return;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL) return;
    lge_acquired(thread, &given->request);
    lgi_leave(thread);
}

int lgi_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct lgi_limit *limit, uintptr_t site,
                  uintptr_t sp) {
    int result;
    struct given_up given;
    give_up(&given, mutex, site, sp);
    pthread_cleanup_push(take_back, &given);
    if (limit == NULL)
        result = lgi_real.cond_wait(condition, mutex);
    else if (limit->by_clock)
        result = lgi_real.cond_clockwait(condition, mutex, limit->clock, limit->at);
    else
        result = lgi_real.cond_timedwait(condition, mutex, limit->at);
    pthread_cleanup_pop(1);
    return result;
}

LGI_EXPORT int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
    return lgi_cond_wait(condition, mutex, NULL, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *at) {
    struct lgi_limit limit = {CLOCK_REALTIME, at, false};
    return lgi_cond_wait(condition, mutex, &limit, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                                      const struct timespec *at) {
    struct lgi_limit limit = {clock, at, true};
    return lgi_cond_wait(condition, mutex, &limit, LGI_SITE(), LGI_SP());
}
