/* How all locks are taken: with the time limit of the configuration, also in a build
 * without Lockgraph.
 *
 *     if (!sd_lock(&registry->lock, error))
 *         return false;            … with nothing held: give up what else is, and go …
 *     …
 *     sd_unlock(&registry->lock);
 *
 * Macros, so that the call that reports name is the caller's line.  Each is an
 * expression of type bool; false: nothing was taken, and the error says 503
 * lock_timeout.  Waits for a condition use lg_cond_timedwait.  Time-outs and unlocks of
 * what is not held are logged at WARNING here; attempts, acquisitions and releases at
 * DEBUG by Lockgraph or, without it, here. */
#ifndef SD_TIMED_H
#define SD_TIMED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockgraph/lockgraph.h>

#include "error.h"

/* Before the first thread.  Adaptive: Lockgraph sets the limits, by class and operation. */
void sd_timed_set(int32_t limit_ms, bool adaptive);
int32_t sd_timed_limit_ms(void);
int32_t sd_timed_soon_ms(void); /* of sd_lock_soon */

#define sd_lock(mutex, error)                                                                                \
    (sd_timed_before(#mutex),                                                                                \
     sd_timed_taken(sd_timed_adaptive() ? lg_mutex_lock(mutex)                                               \
                                        : lg_mutex_timedlock(mutex, sd_timed_limit_ms()),                    \
                    #mutex, error))
/* For what must not be left undone, such as giving something back: a time-out is logged
 * each time, and the wait goes on. */
#define sd_lock_surely(mutex)                                                                                \
    do {                                                                                                     \
    } while (!sd_lock(mutex, NULL))
#define sd_unlock(mutex) sd_timed_given(lg_mutex_unlock(mutex), #mutex)
#define sd_slot(slots, error)                                                                                \
    (sd_timed_before(#slots),                                                                                \
     sd_timed_taken(sd_timed_adaptive() ? lg_sem_wait(slots) : lg_sem_timedwait(slots, sd_timed_limit_ms()), \
                    #slots, error))
/* With a limit of the caller's own: a call's, or a pool's wait. */
#define sd_lock_within(mutex, ms, error)                                                                     \
    (sd_timed_before(#mutex), sd_timed_taken(lg_mutex_timedlock(mutex, ms), #mutex, error))
/* For the HTTP thread, which serves everybody: a lock that is not to be had soon is an
 * error of that request alone. */
#define sd_lock_soon(mutex, error) sd_lock_within(mutex, sd_timed_soon_ms(), error)
#define sd_slot_within(slots, ms, error)                                                                     \
    (sd_timed_before(#slots), sd_timed_taken(lg_sem_timedwait(slots, ms), #slots, error))
#define sd_slot_end(slots) sd_timed_given(lg_sem_post(slots), #slots)

/* Of the macros. */
bool sd_timed_adaptive(void);
void sd_timed_before(const char *name);
bool sd_timed_taken(int result, const char *name, struct sd_error *error);
void sd_timed_given(int result, const char *name);

#endif
