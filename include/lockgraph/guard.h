/* Scopes and several locks at once.
 *
 *     LG_WITH(&mutex) {
 *         … return, break, continue and goto give it up, too …
 *     } else {
 *         … it was not to be had: lg_with_error says why …
 *     }
 *
 * The `else` is optional.  break and continue leave the block, not a loop around it.
 * longjmp does not give it up, nor does cancellation in C compiled without -fexceptions. */
#ifndef LOCKGRAPH_GUARD_H
#define LOCKGRAPH_GUARD_H

#include <stddef.h>

#include <lockgraph/mutex.h>

/* Why the calling thread's last LG_WITH that got nothing did not. */
static __thread int lg_with_error __attribute__((unused));

struct lg_guard {
    lg_mutex_t *mutex; /* NULL once it was given up */
    int error, rounds;
};
static __inline__ struct lg_guard lg_guard_take(lg_mutex_t *m) {
    struct lg_guard guard;
    guard.error = lg_mutex_lock(m);
    guard.mutex = guard.error == 0 ? m : 0;
    if (guard.error != 0)
        lg_with_error = guard.error;
    guard.rounds = 0;
    return guard;
}
static __inline__ void lg_guard_leave(struct lg_guard *guard) {
    if (guard->mutex != 0)
        lg_mutex_unlock(guard->mutex);
    guard->mutex = 0;
}
/* Named by their lines: one inside another hides no name of it. */
#define LG_WITH(m) LG_WITH_NAMED(m, LG_JOIN(lg_guard_of_line_, __LINE__))
#define LG_WITH_NAMED(m, guard)                                                                              \
    for (__attribute__((cleanup(lg_guard_leave))) struct lg_guard guard = lg_guard_take(m);                  \
         guard.rounds == 0; guard.rounds = 1)                                                                \
        if (guard.error == 0)

#ifdef LOCKGRAPH_DISABLE
/* Without levels there is one order that all callers share: by address. */
static __inline__ int lg_lock_all(lg_mutex_t *const *mutexes, size_t count) {
    const lg_mutex_t *last = 0;
    size_t taken, i;
    for (taken = 0; taken < count; taken++)
        for (i = taken + 1; i < count; i++)
            if (mutexes[i] == mutexes[taken])
                return EINVAL;
    for (taken = 0; taken < count; taken++) {
        lg_mutex_t *next = 0;
        for (i = 0; i < count; i++)
            if (mutexes[i] > last && (next == 0 || mutexes[i] < next))
                next = mutexes[i];
        pthread_mutex_lock(&next->mutex);
        last = next;
    }
    return 0;
}
static __inline__ void lg_unlock_all(lg_mutex_t *const *mutexes, size_t count) {
    size_t i;
    for (i = 0; i < count; i++)
        pthread_mutex_unlock(&mutexes[i]->mutex);
}
#else
#ifdef __cplusplus
extern "C" {
#endif
/* All of them or none, by level, then key, then address, whatever order they are
 * given in.  EINVAL: one of them twice. */
int lg_lock_all(lg_mutex_t *const *mutexes, size_t count);
void lg_unlock_all(lg_mutex_t *const *mutexes, size_t count);
#ifdef __cplusplus
}
#endif
#endif

#endif
