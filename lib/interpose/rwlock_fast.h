/* glibc's fast paths for readers, taken inline.
 *
 * A rwlock's state is one word, __readers, since glibc 2.25 (the comment on top
 * of nptl/pthread_rwlock_common.c): the number of readers above three bits that
 * are clear as long as no writer has the lock, had it last, or waits for it.
 * While they are clear, to read is to count oneself in and to stop reading is to
 * count oneself out; anything else is forwarded.  A self-test at start compares
 * with what libc does (rwlock_fast.c). */
#ifndef LOCKGRAPH_INTERPOSE_RWLOCK_FAST_H
#define LOCKGRAPH_INTERPOSE_RWLOCK_FAST_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    LGI_RW_WRITE_PHASE = 1, /* the last holder, or the present one, is a writer */
    LGI_RW_WRITER = 2,      /* a writer has the lock, or is the next to have it */
    LGI_RW_QUEUED = 4,      /* readers wait behind that writer */
    LGI_RW_READER = 8,      /* one reader */
};
/* No bit of a writer, and far from too many readers. */
#define LGI_RW_NOT_PLAIN 0xc0000007u

/* lge_hot.fast_rwlock tells whether the two below may be used. */

/* True when the lock is held by one reader more. */
static inline bool lgi_fast_rdlock(pthread_rwlock_t *lock) {
    uint32_t readers = __atomic_load_n(&lock->__data.__readers, __ATOMIC_RELAXED);
    return (readers & LGI_RW_NOT_PLAIN) == 0 &&
           __atomic_compare_exchange_n(&lock->__data.__readers, &readers, readers + LGI_RW_READER, false,
                                       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* True when the lock is held by one reader less.  The caller reads. */
static inline bool lgi_fast_rdunlock(pthread_rwlock_t *lock) {
    uint32_t readers = __atomic_load_n(&lock->__data.__readers, __ATOMIC_RELAXED);
    return (readers & LGI_RW_NOT_PLAIN) == 0 && readers != 0 &&
           __atomic_compare_exchange_n(&lock->__data.__readers, &readers, readers - LGI_RW_READER, false,
                                       __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* Compares with libc and sets lge_hot.fast_rwlock; from the constructor, after
 * lgi_real_start. */
void lgi_rwlock_fast_start(void);

#endif
