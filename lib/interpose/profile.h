/* The hot path of mutexes where every hold is timed (option profile).
 *
 * Then `self` is NULL all the time (self.h), so that the ordinary hot paths cost
 * what they do, and every call comes by its slow path; that of a mutex looks here
 * first. */
#ifndef LOCKGRAPH_INTERPOSE_PROFILE_H
#define LOCKGRAPH_INTERPOSE_PROFILE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether the two below are to be asked.  Written by the constructor. */
extern bool lgi_profiled;

/* As pthread_mutex_lock and _unlock. */
int lgi_profiled_lock(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp);
int lgi_profiled_unlock(pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp);

/* From the constructor, after lgi_log_start: whether anything is timed, and all is. */
void lgi_profile_start(bool some, bool all);

#endif
