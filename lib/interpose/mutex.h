/* What the other families need of the mutex: the whole of lock and unlock, for
 * callers that stand behind another name (C11, condition variables). */
#ifndef LOCKGRAPH_INTERPOSE_MUTEX_H
#define LOCKGRAPH_INTERPOSE_MUTEX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "interpose/self.h"

/* A time limit: the program's own, or a safety net of the wrapper's, under which a
 * request counts as blocking for ever. */
struct lgi_limit {
    clockid_t clock;
    const struct timespec *at;
    bool by_clock;     /* given by pthread_mutex_clocklock, which checks its clock */
    bool net;          /* a safety net */
    bool told;         /* of an lg_ call: that it passed is logged, and no signal ends the wait */
    uint32_t after_ms; /* not 0: so long after the wait begins, and `at` is not used */
    uint32_t least_ms; /* `at` was so long after the call began, before the wait did */
};
/* The same as a point in time, from now on: `limit` itself where it is one (or is
 * NULL), else *absolute with *at. */
const struct lgi_limit *lgi_limit_absolute(const struct lgi_limit *limit, struct lgi_limit *absolute,
                                           struct timespec *at);
/* LGE_TIMED, or 0. */
uint8_t lgi_limit_flags(const struct lgi_limit *limit);

/* The request that a lock call on `mutex` from (site, sp) makes. */
void lgi_mutex_request(struct lge_thread *thread, pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp,
                       struct lge_request *request);
uint8_t lgi_mutex_attributes(const pthread_mutex_t *mutex); /* enum lgr_lock_attribute */
/* Its lock id: a new one at its first use; 0 instead of a new one. */
uint64_t lgi_mutex_identity(struct lge_thread *thread, pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp);
uint64_t lgi_mutex_known(pthread_mutex_t *mutex);
/* The same for a mutex that was declared to be of that class. */
uint64_t lgi_mutex_declared(struct lge_thread *thread, pthread_mutex_t *mutex, uint32_t class_id);
/* Its id goes, and is returned: the next use is that of a new lock.  0: it had none. */
uint64_t lgi_mutex_forget(pthread_mutex_t *mutex);
/* The real call, untracked. */
int lgi_mutex_pass_through(pthread_mutex_t *mutex, const struct lgi_limit *limit);
int lgi_mutex_lock(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp, const struct lgi_limit *limit);
int lgi_mutex_trylock(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp);
int lgi_mutex_unlock(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp);
/* Before an initialisation at (site, sp), and after a successful one. */
void lgi_mutex_initialising(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp);
void lgi_mutex_initialised(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp);
int lgi_mutex_destroy(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp);

/* Whether the mutex with that id still is at that address; never faults. */
bool lgi_mutex_alive(const void *address, uint64_t id, uint8_t attributes);

/* Options of the constructor. */
void lgi_mutex_start(bool use_tags);

#endif
