/* glibc's fast path of a semaphore, taken inline.
 *
 * On machines with 64-bit atomics the first word of a sem_t is the value (low
 * half) and the number of waiters (high half), since glibc 2.21; every process
 * that shares a semaphore depends on it.  A self-test at start compares with
 * what libc does (sem_fast.c); where it fails, or another interposer stands
 * between us and libc, every call is forwarded instead. */
#ifndef LOCKGRAPH_INTERPOSE_SEM_FAST_H
#define LOCKGRAPH_INTERPOSE_SEM_FAST_H

#include <limits.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#define LGI_SEM_WAITER (UINT64_C(1) << 32)

static inline uint64_t *lgi_sem_word(sem_t *semaphore) { return (uint64_t *)(void *)semaphore; }

/* True when there was a slot, which is now taken. */
static inline bool lgi_fast_sem_take(sem_t *semaphore) {
    uint64_t now = __atomic_load_n(lgi_sem_word(semaphore), __ATOMIC_RELAXED);
    return (uint32_t)now != 0 && __atomic_compare_exchange_n(lgi_sem_word(semaphore), &now, now - 1, false,
                                                             __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Nobody waits, and there is room for one more. */
static inline bool lgi_fast_sem_quiet(sem_t *semaphore, uint64_t *now) {
    *now = __atomic_load_n(lgi_sem_word(semaphore), __ATOMIC_RELAXED);
    return *now < INT_MAX;
}

/* True when the slot was given back: nothing changed since *now was read. */
static inline bool lgi_fast_sem_give(sem_t *semaphore, uint64_t now) {
    return __atomic_compare_exchange_n(lgi_sem_word(semaphore), &now, now + 1, false, __ATOMIC_RELEASE,
                                       __ATOMIC_RELAXED);
}

/* Compares with libc and sets lge_hot.fast_semaphore; from the constructor,
 * after lgi_real_start. */
void lgi_sem_fast_start(void);

#endif
