/* pthread_cond_*: a wait gives the mutex up and takes it again, inside libc and
 * past any interposer; POSIX.1-2017 pthread_cond_timedwait(3p).
 *
 * Cancellation: a cancelled waiter owns the mutex again before the program's
 * own clean-up handlers run, so the hold is put back by a handler of ours,
 * which is inner to them. */
#include <pthread.h>

#include "interpose/cond.h"
#include "interpose/cond_order.h"
#include "interpose/mutex.h"
#include "interpose/real.h"

/* A mutex given up for the wait. */
struct given_up {
    struct lge_thread *thread; /* NULL: not tracked */
    pthread_cond_t *condition;
    bool mutex_held; /* there is something to put back */
    bool published;  /* as waiting for the mutex, under what else it holds */
    bool woken;
    struct lge_request request;
};

/* The re-acquisition is a blocking request under everything else still held:
 * checked now, because libc makes it without us. */
static void give_up(struct given_up *given, pthread_cond_t *condition, pthread_mutex_t *mutex, uintptr_t site,
                    uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    given->thread = thread;
    if (thread == NULL)
        return;
    given->condition = condition;
    given->woken = false;
    given->mutex_held = lge_released(thread, mutex);
    if (given->mutex_held) {
        lgi_mutex_request(thread, mutex, site, sp, &given->request);
        lge_check(thread, &given->request);
    }
    given->published = given->mutex_held && lge_held_count(thread) != 0;
    if (given->published)
        lge_wait_reacquire(thread, &given->request, &mutex->__data.__owner);
    lgi_order_wait_begin(condition);
    lgi_leave(thread);
}

static void take_back(void *argument) {
    struct given_up *given = argument;
    if (given->thread == NULL || lgi_enter() == NULL)
        return;
    if (given->published)
        lge_wait_end(given->thread);
    lgi_order_wait_end(given->thread, given->condition, given->woken);
    if (given->mutex_held)
        lge_acquired(given->thread, &given->request);
    lgi_leave(given->thread);
}

int lgi_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct lgi_limit *limit,
                  uintptr_t site, uintptr_t sp) {
    int result;
    struct given_up given;
    give_up(&given, condition, mutex, site, sp);
    pthread_cleanup_push(take_back, &given);
    if (limit == NULL)
        result = lgi_real.cond_wait(condition, mutex);
    else if (limit->by_clock)
        result = lgi_real.cond_clockwait(condition, mutex, limit->clock, limit->at);
    else
        result = lgi_real.cond_timedwait(condition, mutex, limit->at);
    given.woken = result == 0;
    pthread_cleanup_pop(1);
    return result;
}

void lgi_cond_signalled(pthread_cond_t *condition) {
    struct lge_thread *thread = lgi_self();
    if (thread == NULL || !lge_thread_has_past(thread) || lgi_enter() == NULL)
        return;
    lgi_order_signal(thread, condition);
    lgi_leave(thread);
}

/* What was done before the signal, not the signal itself, is what orders. */
LGI_EXPORT int pthread_cond_signal(pthread_cond_t *condition) {
    lgi_cond_signalled(condition);
    return lgi_real.cond_signal(condition);
}

LGI_EXPORT int pthread_cond_broadcast(pthread_cond_t *condition) {
    lgi_cond_signalled(condition);
    return lgi_real.cond_broadcast(condition);
}

LGI_EXPORT int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
    return lgi_cond_wait(condition, mutex, NULL, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                      const struct timespec *at) {
    struct lgi_limit limit = {CLOCK_REALTIME, at, false};
    return lgi_cond_wait(condition, mutex, &limit, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                                      const struct timespec *at) {
    struct lgi_limit limit = {clock, at, true};
    return lgi_cond_wait(condition, mutex, &limit, LGI_SITE(), LGI_SP());
}
