/* glibc's spinlock, taken inline: a call to the real function would cost as much
 * as all the rest.  One int: 1 free and 0 or less held on x86 (nptl/
 * pthread_spin_lock there counts waiters below 0), elsewhere 0 free and 1 held;
 * part of the binary interface, since libraries of different age share locks.
 * A self-test at start compares with what libc does; where it fails, or another
 * interposer stands between us and libc, every call is forwarded. */
#ifndef LOCKGRAPH_INTERPOSE_SPIN_FAST_H
#define LOCKGRAPH_INTERPOSE_SPIN_FAST_H

#include <pthread.h>
#include <stdbool.h>

#if defined __x86_64__ || defined __i386__
enum { LGI_SPIN_FREE = 1, LGI_SPIN_HELD = 0 };
#else
enum { LGI_SPIN_FREE = 0, LGI_SPIN_HELD = 1 };
#endif

static inline bool lgi_spin_is_free(const pthread_spinlock_t *lock) {
    return __atomic_load_n(lock, __ATOMIC_RELAXED) == LGI_SPIN_FREE;
}
/* True when it was free and is held now. */
static inline bool lgi_spin_take(pthread_spinlock_t *lock) {
    int free = LGI_SPIN_FREE;
    return __atomic_compare_exchange_n(lock, &free, LGI_SPIN_HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
static inline void lgi_spin_give(pthread_spinlock_t *lock) {
    __atomic_store_n(lock, LGI_SPIN_FREE, __ATOMIC_RELEASE);
}

#endif
