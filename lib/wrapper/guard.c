/* lg_lock_all: include/lockgraph/guard.h. */
#include "lockgraph/guard.h"

#include "interpose/self.h"
#include "wrapper/several.h"

static bool comes_after(const lg_mutex_t *a, const lg_mutex_t *b) {
    if (b == NULL)
        return true;
    if (a->declared.level != b->declared.level)
        return a->declared.level > b->declared.level;
    if (a->declared.key != b->declared.key)
        return a->declared.key > b->declared.key;
    return a > b;
}

/* The first after `last`; no memory is taken, and the lists are short. */
static lg_mutex_t *next_of(lg_mutex_t *const *mutexes, size_t count, const lg_mutex_t *last) {
    lg_mutex_t *next = NULL;
    for (size_t i = 0; i < count; i++)
        if (comes_after(mutexes[i], last) && (next == NULL || comes_after(next, mutexes[i])))
            next = mutexes[i];
    return next;
}

static bool any_twice(lg_mutex_t *const *mutexes, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (mutexes[i] == mutexes[j])
                return true;
    return false;
}

/* Down to `last`, which was the last one taken. */
static void give_back(lg_mutex_t *const *mutexes, size_t count, const lg_mutex_t *last, uintptr_t site,
                      uintptr_t sp) {
    for (size_t i = 0; last != NULL && i < count; i++)
        if (!comes_after(mutexes[i], last))
            lgw_mutex_unlock_for(mutexes[i], site, sp);
}

LGI_EXPORT int lg_lock_all(lg_mutex_t *const *mutexes, size_t count) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    lg_mutex_t *last = NULL;
    if (any_twice(mutexes, count))
        return EINVAL;
    for (size_t taken = 0; taken < count; taken++) {
        lg_mutex_t *next = next_of(mutexes, count, last);
        int error = lgw_mutex_lock_for(next, site, sp);
        if (error != 0) {
            give_back(mutexes, count, last, site, sp);
            return error;
        }
        last = next;
    }
    return 0;
}

LGI_EXPORT void lg_unlock_all(lg_mutex_t *const *mutexes, size_t count) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    for (size_t i = 0; i < count; i++)
        lgw_mutex_unlock_for(mutexes[i], site, sp);
}
