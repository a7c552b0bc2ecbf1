/* lg_rwlock_t: a pthread read/write lock with a name, a level and a time limit.
 * Results as lockgraph/mutex.h has them; readers have levels, too. */
#ifndef LOCKGRAPH_RWLOCK_H
#define LOCKGRAPH_RWLOCK_H

#include <errno.h>
#include <pthread.h>

#include <lockgraph/declared.h>

/* Not where ISO C alone was asked for: there <pthread.h> has none of them. */
#if defined __USE_UNIX98 || defined __USE_XOPEN2K || !defined __GLIBC__

#ifdef LOCKGRAPH_DISABLE

#if defined __GLIBC__ && !defined __USE_GNU &&                                                               \
    !defined __cplusplus /* glibc hides them from those who did not define _GNU_SOURCE */
int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, __clockid_t clock, const struct timespec *at);
int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, __clockid_t clock, const struct timespec *at);
#endif

typedef struct lg_rwlock {
    pthread_rwlock_t lock;
} lg_rwlock_t;
#define LG_RWLOCK_INITIALIZER(name, level)                                                                   \
    { PTHREAD_RWLOCK_INITIALIZER }
#define LG_RWLOCK_INITIALIZER_KEYED(name, level, key)                                                        \
    { PTHREAD_RWLOCK_INITIALIZER }

#define lg_rwlock_init(l, name, level) ((void)(level), pthread_rwlock_init(&(l)->lock, 0))
#define lg_rwlock_init_keyed(l, name, level, key)                                                            \
    ((void)(level), (void)(key), pthread_rwlock_init(&(l)->lock, 0))
static __inline__ void lg_rwlock_set_timeout(lg_rwlock_t *l, int32_t ms) { (void)l, (void)ms; }
static __inline__ void lg_rwlock_set_group(lg_rwlock_t *l, lg_group_t *group) { (void)l, (void)group; }
static __inline__ int lg_rwlock_destroy(lg_rwlock_t *l) { return pthread_rwlock_destroy(&l->lock); }
static __inline__ int lg_rwlock_rdlock(lg_rwlock_t *l) { return pthread_rwlock_rdlock(&l->lock); }
static __inline__ int lg_rwlock_wrlock(lg_rwlock_t *l) { return pthread_rwlock_wrlock(&l->lock); }
static __inline__ int lg_rwlock_tryrdlock(lg_rwlock_t *l) { return pthread_rwlock_tryrdlock(&l->lock); }
static __inline__ int lg_rwlock_trywrlock(lg_rwlock_t *l) { return pthread_rwlock_trywrlock(&l->lock); }
static __inline__ int lg_rwlock_rdlock_until(lg_rwlock_t *l, const struct timespec *at) {
    return pthread_rwlock_clockrdlock(&l->lock, LG_CLOCK_MONOTONIC, at);
}
static __inline__ int lg_rwlock_wrlock_until(lg_rwlock_t *l, const struct timespec *at) {
    return pthread_rwlock_clockwrlock(&l->lock, LG_CLOCK_MONOTONIC, at);
}
static __inline__ int lg_rwlock_timedrdlock(lg_rwlock_t *l, int32_t ms) {
    struct timespec at = lg_after(ms);
    return pthread_rwlock_clockrdlock(&l->lock, LG_CLOCK_MONOTONIC, &at);
}
static __inline__ int lg_rwlock_timedwrlock(lg_rwlock_t *l, int32_t ms) {
    struct timespec at = lg_after(ms);
    return pthread_rwlock_clockwrlock(&l->lock, LG_CLOCK_MONOTONIC, &at);
}
static __inline__ int lg_rwlock_unlock(lg_rwlock_t *l) { return pthread_rwlock_unlock(&l->lock); }

#else

typedef struct lg_rwlock {
    pthread_rwlock_t lock;
    struct lg_declared declared;
} lg_rwlock_t;
#define LG_RWLOCK_INITIALIZER(name, level)                                                                   \
    { PTHREAD_RWLOCK_INITIALIZER, LG_DECLARED(name, level) }
#define LG_RWLOCK_INITIALIZER_KEYED(name, level, key)                                                        \
    { PTHREAD_RWLOCK_INITIALIZER, LG_DECLARED_KEYED(name, level, key) }

#ifdef __cplusplus
extern "C" {
#endif
int lg_rwlock_init(lg_rwlock_t *l, const char *name, int level);
int lg_rwlock_init_keyed(lg_rwlock_t *l, const char *name, int level, uint64_t key);
int lg_rwlock_destroy(lg_rwlock_t *l);
int lg_rwlock_rdlock(lg_rwlock_t *l);
int lg_rwlock_wrlock(lg_rwlock_t *l);
int lg_rwlock_tryrdlock(lg_rwlock_t *l);
int lg_rwlock_trywrlock(lg_rwlock_t *l);
int lg_rwlock_timedrdlock(lg_rwlock_t *l, int32_t ms);
int lg_rwlock_timedwrlock(lg_rwlock_t *l, int32_t ms);
int lg_rwlock_rdlock_until(lg_rwlock_t *l, const struct timespec *at);
int lg_rwlock_wrlock_until(lg_rwlock_t *l, const struct timespec *at);
int lg_rwlock_unlock(lg_rwlock_t *l);
#ifdef __cplusplus
}
#endif

static __inline__ void lg_rwlock_set_timeout(lg_rwlock_t *l, int32_t ms) { l->declared.timeout_ms = ms; }
static __inline__ void lg_rwlock_set_group(lg_rwlock_t *l, lg_group_t *group) { l->declared.group = group; }

#endif

#endif

#endif
