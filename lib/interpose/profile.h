/* The hot path of mutexes where holds are timed (option profile).
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

/* Options; `exact`: every hold is timed, however many there are (hold_sample.h).  From
 * the constructor, once lgi_all_slow says whether every call is told. */
void lgi_profile_start(bool profile, bool adaptive, bool exact);

#endif
