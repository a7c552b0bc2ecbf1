/* lg_cond_t: a condition variable for lg_mutex_t, timed on the monotonic clock.  A
 * wait gives the mutex up and takes it again, which its level must allow under all
 * else that is held; under LG_REFUSE a wait that it does not is EDEADLK at once, with
 * the mutex still held. */
#ifndef LOCKGRAPH_COND_H
#define LOCKGRAPH_COND_H

#include <lockgraph/mutex.h>

typedef struct lg_cond {
    pthread_cond_t condition;
} lg_cond_t;
#define LG_COND_INITIALIZER                                                                                  \
    { PTHREAD_COND_INITIALIZER }

static __inline__ int lg_cond_init(lg_cond_t *c) { return pthread_cond_init(&c->condition, 0); }
static __inline__ int lg_cond_destroy(lg_cond_t *c) { return pthread_cond_destroy(&c->condition); }
static __inline__ int lg_cond_signal(lg_cond_t *c) { return pthread_cond_signal(&c->condition); }
static __inline__ int lg_cond_broadcast(lg_cond_t *c) { return pthread_cond_broadcast(&c->condition); }

#ifdef LOCKGRAPH_DISABLE
#if defined __GLIBC__ && !defined __USE_GNU &&                                                               \
    !defined __cplusplus /* glibc hides them from those who did not define _GNU_SOURCE */
int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, __clockid_t clock,
                           const struct timespec *at);
#endif

static __inline__ int lg_cond_wait(lg_cond_t *c, lg_mutex_t *m) {
    return pthread_cond_wait(&c->condition, &m->mutex);
}
static __inline__ int lg_cond_wait_until(lg_cond_t *c, lg_mutex_t *m, const struct timespec *at) {
    return pthread_cond_clockwait(&c->condition, &m->mutex, LG_CLOCK_MONOTONIC, at);
}
static __inline__ int lg_cond_timedwait(lg_cond_t *c, lg_mutex_t *m, int32_t ms) {
    struct timespec at = lg_after(ms);
    return pthread_cond_clockwait(&c->condition, &m->mutex, LG_CLOCK_MONOTONIC, &at);
}
#else
#ifdef __cplusplus
extern "C" {
#endif
/* Without a limit: nobody holds a condition. */
int lg_cond_wait(lg_cond_t *c, lg_mutex_t *m);
int lg_cond_timedwait(lg_cond_t *c, lg_mutex_t *m, int32_t ms);
int lg_cond_wait_until(lg_cond_t *c, lg_mutex_t *m, const struct timespec *at);
#ifdef __cplusplus
}
#endif
#endif

#endif
