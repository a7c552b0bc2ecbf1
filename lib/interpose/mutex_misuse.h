/* Wrong calls on mutexes, as far as the mutex and the held stacks tell: seen on
 * the slow paths, reported, and made all the same, for glibc to answer.
 *
 * By a thread that has entered the runtime. */
#ifndef LOCKGRAPH_INTERPOSE_MUTEX_MISUSE_H
#define LOCKGRAPH_INTERPOSE_MUTEX_MISUSE_H

#include "interpose/mutex.h"

/* Before a use of it.  False: there is no mutex (any more); it has no identity,
 * the call is to be passed through. */
bool lgi_mutex_usable(struct lge_thread *thread, const pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp);
/* Before an unlock by a thread that does not hold it, as far as is known. */
void lgi_mutex_look_at_unlock(struct lge_thread *thread, pthread_mutex_t *mutex, uintptr_t site,
                              uintptr_t sp);
/* Before it is destroyed; `id` 0: never used. */
void lgi_mutex_look_at_destroy(struct lge_thread *thread, pthread_mutex_t *mutex, uint64_t id, uintptr_t site,
                               uintptr_t sp);
/* Before it is initialised: whatever is there may be anything. */
void lgi_mutex_look_at_init(struct lge_thread *thread, pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp);
/* Before it is taken: an older lock of the thread's lay here, and was not given up. */
void lgi_mutex_look_at_lock(struct lge_thread *thread, const struct lge_request *request);
/* glibc refused the call for a reason worth knowing, or for one that is not;
 * `mutex` NULL: it was about no mutex. */
void lgi_look_at_result(struct lge_thread *thread, pthread_mutex_t *mutex, int result, uintptr_t site,
                        uintptr_t sp);

#endif
