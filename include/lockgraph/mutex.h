/* lg_mutex_t: a pthread mutex with a name, a level and a time limit.
 *
 *     static lg_mutex_t registry = LG_MUTEX_INITIALIZER("registry", LEVEL_REGISTRY);
 *
 * lg_mutex_lock waits as long as the lock, its group or the process say (30 s
 * unless told otherwise), and then returns ETIMEDOUT with nothing taken.
 *
 * | returns   | when                                                          |
 * | 0         | it is held now, or given up                                   |
 * | ETIMEDOUT | the limit passed                                              |
 * | EDEADLK   | against the declared levels, under LG_REFUSE                  |
 * | EBUSY     | trylock: somebody holds it; unlock: it is pinned, under       |
 * |           | LG_REFUSE                                                     |
 * | EPERM     | unlock: the caller does not hold it; nothing happens          |
 * | EINVAL    | a level out of range                                          | */
#ifndef LOCKGRAPH_MUTEX_H
#define LOCKGRAPH_MUTEX_H

#include <errno.h>
#include <pthread.h>

#include <lockgraph/declared.h>

#ifdef LOCKGRAPH_DISABLE

#if defined __GLIBC__ && !defined __USE_GNU &&                                                               \
    !defined __cplusplus /* glibc hides them from those who did not define _GNU_SOURCE */
int pthread_mutex_clocklock(pthread_mutex_t *mutex, __clockid_t clock, const struct timespec *at);
#endif

typedef struct lg_mutex {
    pthread_mutex_t mutex;
} lg_mutex_t;
#define LG_MUTEX_INITIALIZER(name, level)                                                                    \
    { PTHREAD_MUTEX_INITIALIZER }
#define LG_MUTEX_INITIALIZER_KEYED(name, level, key)                                                         \
    { PTHREAD_MUTEX_INITIALIZER }

#define lg_mutex_init(m, name, level) ((void)(level), pthread_mutex_init(&(m)->mutex, 0))
#define lg_mutex_init_keyed(m, name, level, key)                                                             \
    ((void)(level), (void)(key), pthread_mutex_init(&(m)->mutex, 0))
static __inline__ void lg_mutex_set_timeout(lg_mutex_t *m, int32_t ms) { (void)m, (void)ms; }
static __inline__ void lg_mutex_set_group(lg_mutex_t *m, lg_group_t *group) { (void)m, (void)group; }
static __inline__ int lg_mutex_destroy(lg_mutex_t *m) { return pthread_mutex_destroy(&m->mutex); }
static __inline__ int lg_mutex_lock(lg_mutex_t *m) { return pthread_mutex_lock(&m->mutex); }
static __inline__ int lg_mutex_trylock(lg_mutex_t *m) { return pthread_mutex_trylock(&m->mutex); }
static __inline__ int lg_mutex_lock_until(lg_mutex_t *m, const struct timespec *at) {
    return pthread_mutex_clocklock(&m->mutex, LG_CLOCK_MONOTONIC, at);
}
static __inline__ int lg_mutex_timedlock(lg_mutex_t *m, int32_t ms) {
    struct timespec at = lg_after(ms);
    return pthread_mutex_clocklock(&m->mutex, LG_CLOCK_MONOTONIC, &at);
}
static __inline__ int lg_mutex_unlock(lg_mutex_t *m) { return pthread_mutex_unlock(&m->mutex); }
static __inline__ int lg_mutex_pin(lg_mutex_t *m) { return (void)m, 0; }
static __inline__ int lg_mutex_unpin(lg_mutex_t *m) { return (void)m, 0; }
static __inline__ void lg_assert_held(const lg_mutex_t *m) { (void)m; }
static __inline__ void lg_assert_not_held(const lg_mutex_t *m) { (void)m; }

#else

typedef struct lg_mutex {
    pthread_mutex_t mutex;
    struct lg_declared declared;
} lg_mutex_t;
#define LG_MUTEX_INITIALIZER(name, level)                                                                    \
    { PTHREAD_MUTEX_INITIALIZER, LG_DECLARED(name, level) }
#define LG_MUTEX_INITIALIZER_KEYED(name, level, key)                                                         \
    { PTHREAD_MUTEX_INITIALIZER, LG_DECLARED_KEYED(name, level, key) }

#ifdef __cplusplus
extern "C" {
#endif
int lg_mutex_init(lg_mutex_t *m, const char *name, int level);
int lg_mutex_init_keyed(lg_mutex_t *m, const char *name, int level, uint64_t key);
int lg_mutex_destroy(lg_mutex_t *m);
int lg_mutex_lock(lg_mutex_t *m);
int lg_mutex_trylock(lg_mutex_t *m);
/* A time limit of the caller's own; 0 or less: none to spare. */
int lg_mutex_timedlock(lg_mutex_t *m, int32_t ms);
/* Until then, on the monotonic clock. */
int lg_mutex_lock_until(lg_mutex_t *m, const struct timespec *at);
int lg_mutex_unlock(lg_mutex_t *m);
/* While it is pinned, the calling thread, which holds it (else EPERM), must not give it
 * up, nor wait for a condition with it: assert-failed, and EBUSY under LG_REFUSE. */
int lg_mutex_pin(lg_mutex_t *m);
int lg_mutex_unpin(lg_mutex_t *m);
/* A finding, assert-failed, where it is not so. */
void lg_assert_held(const lg_mutex_t *m);
void lg_assert_not_held(const lg_mutex_t *m);
#ifdef __cplusplus
}
#endif

static __inline__ void lg_mutex_set_timeout(lg_mutex_t *m, int32_t ms) { m->declared.timeout_ms = ms; }
static __inline__ void lg_mutex_set_group(lg_mutex_t *m, lg_group_t *group) { m->declared.group = group; }

#endif

#endif
