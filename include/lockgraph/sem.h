/* lg_sem_t: a semaphore of this process with a name, a level and a time limit: a
 * number of slots that threads hold.  Results as lockgraph/mutex.h has them, never
 * through errno; a signal handler that interrupts a wait does not end it. */
#ifndef LOCKGRAPH_SEM_H
#define LOCKGRAPH_SEM_H

#include <errno.h>
#include <semaphore.h>

#include <lockgraph/declared.h>

#ifdef LOCKGRAPH_DISABLE

#if defined __GLIBC__ && !defined __USE_GNU &&                                                               \
    !defined __cplusplus /* glibc hides them from those who did not define _GNU_SOURCE */
int sem_clockwait(sem_t *semaphore, __clockid_t clock, const struct timespec *at);
#endif

typedef struct lg_sem {
    sem_t semaphore;
} lg_sem_t;

static __inline__ int lg_sem_result(int result) { return result == 0 ? 0 : errno; }
#define lg_sem_init(s, name, level, slots)                                                                   \
    ((void)(level), lg_sem_result(sem_init(&(s)->semaphore, 0, (slots))))
static __inline__ void lg_sem_set_timeout(lg_sem_t *s, int32_t ms) { (void)s, (void)ms; }
static __inline__ void lg_sem_set_group(lg_sem_t *s, lg_group_t *group) { (void)s, (void)group; }
static __inline__ int lg_sem_destroy(lg_sem_t *s) { return lg_sem_result(sem_destroy(&s->semaphore)); }
static __inline__ int lg_sem_wait(lg_sem_t *s) {
    int result;
    while ((result = lg_sem_result(sem_wait(&s->semaphore))) == EINTR)
        continue;
    return result;
}
static __inline__ int lg_sem_trywait(lg_sem_t *s) {
    int result = lg_sem_result(sem_trywait(&s->semaphore));
    return result == EAGAIN ? EBUSY : result;
}
static __inline__ int lg_sem_wait_until(lg_sem_t *s, const struct timespec *at) {
    int result;
    while ((result = lg_sem_result(sem_clockwait(&s->semaphore, LG_CLOCK_MONOTONIC, at))) == EINTR)
        continue;
    return result;
}
static __inline__ int lg_sem_timedwait(lg_sem_t *s, int32_t ms) {
    struct timespec at = lg_after(ms);
    return lg_sem_wait_until(s, &at);
}
static __inline__ int lg_sem_post(lg_sem_t *s) { return lg_sem_result(sem_post(&s->semaphore)); }

#else

typedef struct lg_sem {
    sem_t semaphore;
    struct lg_declared declared;
} lg_sem_t;

#ifdef __cplusplus
extern "C" {
#endif
int lg_sem_init(lg_sem_t *s, const char *name, int level, unsigned slots);
int lg_sem_destroy(lg_sem_t *s);
int lg_sem_wait(lg_sem_t *s);
int lg_sem_trywait(lg_sem_t *s);
int lg_sem_timedwait(lg_sem_t *s, int32_t ms);
int lg_sem_wait_until(lg_sem_t *s, const struct timespec *at);
int lg_sem_post(lg_sem_t *s);
#ifdef __cplusplus
}
#endif

static __inline__ void lg_sem_set_timeout(lg_sem_t *s, int32_t ms) { s->declared.timeout_ms = ms; }
static __inline__ void lg_sem_set_group(lg_sem_t *s, lg_group_t *group) { s->declared.group = group; }

#endif

#endif
