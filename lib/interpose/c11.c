/* C11 mtx_*, cnd_* and thrd_* (ISO/IEC 9899:2011, 7.26).  glibc's own reach
 * their pthread counterparts inside libc, past any interposer; here each is the
 * pthread function of this library with C11's results.  mtx_t and cnd_t are
 * the pthread types under another name (glibc, nptl/thrd_priv.h and the static
 * assertions below). */
#include <errno.h>
#include <threads.h>

#include "interpose/cond.h"
#include "interpose/mutex.h"
#include "interpose/once.h"
#include "interpose/real.h"
#include "interpose/thread.h"

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "mtx_t is not a pthread_mutex_t");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "cnd_t is not a pthread_cond_t");
_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "once_flag is not a pthread_once_t");

static pthread_mutex_t *mutex_of(mtx_t *mutex) { return (pthread_mutex_t *)(void *)mutex; }
static pthread_cond_t *condition_of(cnd_t *condition) { return (pthread_cond_t *)(void *)condition; }

static int result_of(int error) {
    switch (error) {
    case 0:
        return thrd_success;
    case ENOMEM:
        return thrd_nomem;
    case ETIMEDOUT:
        return thrd_timedout;
    case EBUSY:
        return thrd_busy;
    default:
        return thrd_error;
    }
}

LGI_EXPORT int mtx_init(mtx_t *mutex, int type) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    lgi_mutex_initialising(mutex_of(mutex), site, sp);
    int result = lgi_real.mtx_init(mutex, type);
    if (result == thrd_success)
        lgi_mutex_initialised(mutex_of(mutex), site, sp);
    return result;
}

LGI_EXPORT void mtx_destroy(mtx_t *mutex) { lgi_mutex_destroy(mutex_of(mutex), LGI_SITE(), LGI_SP()); }

LGI_EXPORT int mtx_lock(mtx_t *mutex) {
    return result_of(lgi_mutex_lock(mutex_of(mutex), LGI_SITE(), LGI_SP(), NULL));
}

LGI_EXPORT int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict at) {
    struct lgi_limit limit = {.clock = CLOCK_REALTIME, .at = at, .by_clock = false};
    return result_of(lgi_mutex_lock(mutex_of(mutex), LGI_SITE(), LGI_SP(), &limit));
}

LGI_EXPORT int mtx_trylock(mtx_t *mutex) {
    return result_of(lgi_mutex_trylock(mutex_of(mutex), LGI_SITE(), LGI_SP()));
}

LGI_EXPORT int mtx_unlock(mtx_t *mutex) {
    return result_of(lgi_mutex_unlock(mutex_of(mutex), LGI_SITE(), LGI_SP()));
}

LGI_EXPORT int cnd_wait(cnd_t *condition, mtx_t *mutex) {
    return result_of(lgi_cond_wait(condition_of(condition), mutex_of(mutex), NULL, LGI_SITE(), LGI_SP()));
}

LGI_EXPORT int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                             const struct timespec *restrict at) {
    struct lgi_limit limit = {.clock = CLOCK_REALTIME, .at = at, .by_clock = false};
    return result_of(lgi_cond_wait(condition_of(condition), mutex_of(mutex), &limit, LGI_SITE(), LGI_SP()));
}

LGI_EXPORT int cnd_signal(cnd_t *condition) {
    return result_of(
        lgi_cond_signal(lgi_real.cond_signal, condition_of(condition), false, LGI_SITE(), LGI_SP()));
}

LGI_EXPORT int cnd_broadcast(cnd_t *condition) {
    return result_of(
        lgi_cond_signal(lgi_real.cond_broadcast, condition_of(condition), true, LGI_SITE(), LGI_SP()));
}

LGI_EXPORT int cnd_init(cnd_t *condition) {
    lgi_cond_initialised(condition_of(condition));
    return result_of(lgi_real.cond_init(condition_of(condition), NULL));
}

LGI_EXPORT void cnd_destroy(cnd_t *condition) {
    lgi_cond_destroyed(condition_of(condition), LGI_SITE(), LGI_SP());
    lgi_real.cond_destroy(condition_of(condition));
}

LGI_EXPORT int thrd_create(thrd_t *thread, thrd_start_t start, void *argument) {
    return lgi_thread_create_c11(thread, start, argument, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int thrd_join(thrd_t thread, int *result) {
    return lgi_thread_join_c11(thread, result, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int thrd_detach(thrd_t thread) {
    lgi_thread_detached(thread);
    return lgi_real.thrd_detach(thread);
}

LGI_EXPORT void call_once(once_flag *flag, void (*routine)(void)) {
    lgi_once((pthread_once_t *)(void *)flag, routine, LGI_SITE(), LGI_SP());
}
