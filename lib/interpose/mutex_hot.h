/* The hot path of a mutex in pieces, for the front ends that stand on it: the
 * pthread names (mutex.c) and the lg_ API (wrapper/mutex.c).  By a thread whose
 * `self` is not NULL; everything here is measured (docs/benchmarks.md). */
#ifndef LOCKGRAPH_INTERPOSE_MUTEX_HOT_H
#define LOCKGRAPH_INTERPOSE_MUTEX_HOT_H

#include <stddef.h>

#include "engine/hot_path.h"
#include "engine/identity.h"
#include "interpose/mutex_fast.h"
#include "interpose/mutex_kind.h"
#include "interpose/self.h"

_Static_assert(sizeof(((pthread_mutex_t *)0)->__data.__list) >= sizeof(struct lge_tag), "no room for a tag");
_Static_assert(offsetof(pthread_mutex_t, __data.__list) % _Alignof(struct lge_tag) == 0, "tag not aligned");

static inline struct lge_tag *lgi_mutex_tag(pthread_mutex_t *mutex) {
    return (struct lge_tag *)(void *)&mutex->__data.__list;
}

/* The lock id when the fast path may be taken, else 0: a tagged mutex without
 * any flag, and room for one more hold.  `thread` NULL: 0. */
static inline uint64_t lgi_mutex_fast_id(const struct lge_thread *thread, pthread_mutex_t *mutex) {
    if (LGI_UNLIKELY(thread == NULL || lgi_kind_of(mutex) != lge_hot.fast_kind ||
                     thread->top == thread->last))
        return 0;
    return lge_tag_id(lgi_mutex_tag(mutex), mutex);
}

/* Takes the mutex if it is free: then true, and it is on the held stack. */
__attribute__((always_inline)) static inline bool
lgi_mutex_take_known(struct lge_thread *thread, pthread_mutex_t *mutex, uint64_t id, uint64_t key,
                     uintptr_t site, uintptr_t sp, uint32_t context, uint8_t attributes, bool nested) {
    if (LGI_UNLIKELY(!lgi_fast_lock(mutex, lge_thread_tid(thread))))
        return false;
    lge_hold(thread, key, id, mutex, site, sp, context, LGR_EXCLUSIVE, LGR_LOCK_MUTEX, attributes, nested);
    return true;
}

/* Whether it is the thread's newest hold, and may be given up without a look:
 * thread->top--, then lgi_fast_unlock. */
static inline bool lgi_mutex_is_newest(const struct lge_thread *thread, const pthread_mutex_t *mutex) {
    return LGI_LIKELY(thread != NULL && thread->top->address == mutex &&
                      lgi_kind_of(mutex) == lge_hot.fast_kind);
}

#endif
