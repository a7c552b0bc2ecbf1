/* glibc's internal allocation of an object at its first use: who loses the race
 * gives its own one back. */
#ifndef ALLOCATE_ONCE_H
#define ALLOCATE_ONCE_H

#include <stddef.h>

static inline void *allocate_once(void **place, void *(*allocate)(void *), void (*release)(void *, void *),
                                  void *closure) {
    void *object = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (object != NULL)
        return object;
    void *created = allocate(closure);
    if (created == NULL ||
        __atomic_compare_exchange_n(place, &object, created, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return created;
    release(created, closure);
    return object;
}

#endif
