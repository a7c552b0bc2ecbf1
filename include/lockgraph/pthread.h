/* Drop-in: unchanged source, whose locks are called by what initialises them:
 * "session->lock (src/session.c:41)", also in a stripped program.
 *
 *     cc -isystem PREFIX/include/lockgraph/drop-in …       every #include <pthread.h>, or
 *     cc -include lockgraph/pthread.h …                    each file from its first line on
 *
 * Types, sizes and calls stay those of <pthread.h>, so the objects fit with any others;
 * nothing is linked, and without the runtime nothing happens (lockgraph/annotate.h).
 * Which locks play one role is still told by who calls the initialisation.  Static
 * initialisers are called by their variable, as ever.
 *
 * With -include, C files that have not said yet which functions of libc they want
 * (_GNU_SOURCE, …) are left alone: to include <pthread.h> before that would decide it
 * for them.  A source that itself declares pthread_mutex_init and the like with their
 * parameters cannot be compiled so: define LOCKGRAPH_NO_DROP_IN for it. */
#if !defined __ASSEMBLER__ && !defined LOCKGRAPH_NO_DROP_IN && !defined LOCKGRAPH_PTHREAD_H &&               \
    (defined _FEATURES_H || defined _GNU_SOURCE || defined __cplusplus)
#if defined LOCKGRAPH_ANNOTATE_H && !defined LG_TAKEN_OVER
#define LOCKGRAPH_PTHREAD_LATER /* annotate.h is being read, and comes back here at its end */
#else
#define LOCKGRAPH_PTHREAD_H

#include <pthread.h>
#include <semaphore.h>

#include <lockgraph/annotate.h>

#define LG_TEXT_OF(line)                     #line
#define LG_TEXT(line)                        LG_TEXT_OF(line)
#define LG_INITIALISED_AT(lock)              lock " (" __FILE__ ":" LG_TEXT(__LINE__) ")"

/* In place, as the call that it stands for. */
#define LG_DROP_IN                           __attribute__((always_inline, unused)) static __inline__

LG_DROP_IN int lg_pthread_mutex_init(pthread_mutex_t *lock, const pthread_mutexattr_t *attributes,
                                     const char *name) {
    int result = pthread_mutex_init(lock, attributes);
    if (result == 0)
        LG_NOTE(LG_NOTE_INITIALISED, LG_NOTE_MUTEX, 0, lock, name, (const char *)0, 0, 0);
    return result;
}
#define pthread_mutex_init(lock, attributes) lg_pthread_mutex_init(lock, attributes, LG_INITIALISED_AT(#lock))

#if defined __USE_UNIX98 || defined __USE_XOPEN2K
LG_DROP_IN int lg_pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes,
                                      const char *name) {
    int result = pthread_rwlock_init(lock, attributes);
    if (result == 0)
        LG_NOTE(LG_NOTE_INITIALISED, LG_NOTE_RWLOCK, 0, lock, name, (const char *)0, 0, 0);
    return result;
}
#define pthread_rwlock_init(lock, attributes)                                                                \
    lg_pthread_rwlock_init(lock, attributes, LG_INITIALISED_AT(#lock))
#endif

#ifdef __USE_XOPEN2K
LG_DROP_IN int lg_pthread_spin_init(pthread_spinlock_t *lock, int shared, const char *name) {
    int result = pthread_spin_init(lock, shared);
    if (result == 0)
        LG_NOTE(LG_NOTE_INITIALISED, LG_NOTE_SPIN, 0, lock, name, (const char *)0, 0, 0);
    return result;
}
#define pthread_spin_init(lock, shared) lg_pthread_spin_init(lock, shared, LG_INITIALISED_AT(#lock))
#endif

LG_DROP_IN int lg_sem_init_named(sem_t *semaphore, int shared, unsigned value, const char *name) {
    int result = sem_init(semaphore, shared, value);
    if (result == 0 && !shared)
        LG_NOTE(LG_NOTE_INITIALISED, LG_NOTE_SEMAPHORE, 0, semaphore, name, (const char *)0, 0, 0);
    return result;
}
#define sem_init(semaphore, shared, value)                                                                   \
    lg_sem_init_named(semaphore, shared, value, LG_INITIALISED_AT(#semaphore))

#endif
#endif
