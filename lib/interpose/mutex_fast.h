/* glibc's fast path for a normal mutex, taken inline.
 *
 * A call to the real function costs a third of a bare lock+unlock; the path
 * itself is three fields that are part of glibc's binary interface since 2.3
 * (static initialisers and every compiled condition variable depend on them):
 * __lock 0 free, 1 held, 2 held with waiters; __owner; __nusers.  A self-test at
 * start compares with what libc does (mutex_fast.c); where it fails, or another
 * interposer stands between us and libc, every call is forwarded instead.
 */
#ifndef LOCKGRAPH_INTERPOSE_MUTEX_FAST_H
#define LOCKGRAPH_INTERPOSE_MUTEX_FAST_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* lge_hot.fast_kind is the kind that may take it: 0, a normal mutex without any
 * flag; -1 where the self-test failed: no kind is that. */

/* True when the mutex was free and is now held by `tid`. */
static inline bool lgi_fast_lock(pthread_mutex_t *mutex, uint32_t tid) {
    int free = 0;
    if (!__atomic_compare_exchange_n(&mutex->__data.__lock, &free, 1, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
        return false;
    mutex->__data.__owner = (int)tid;
    mutex->__data.__nusers++;
    return true;
}

/* Wakes one waiter; the slow end of an unlock.  Returns 0, so that an unlock ends
 * in a jump to it and needs no stack frame. */
int lgi_fast_wake(pthread_mutex_t *mutex);

static inline int lgi_fast_unlock(pthread_mutex_t *mutex) {
    mutex->__data.__owner = 0;
    mutex->__data.__nusers--;
    if (__atomic_exchange_n(&mutex->__data.__lock, 0, __ATOMIC_RELEASE) > 1)
        return lgi_fast_wake(mutex);
    return 0;
}

/* Compares with libc and sets lge_hot.fast_kind; from the constructor, after
 * lgi_real_start. */
void lgi_fast_start(void);

#endif
