/* What glibc keeps in the __kind, __lock and __owner of a mutex (nptl/pthreadP.h
 * and pthread_mutex_lock.c of glibc 2.31 to 2.41). */
#ifndef LOCKGRAPH_INTERPOSE_MUTEX_KIND_H
#define LOCKGRAPH_INTERPOSE_MUTEX_KIND_H

#include <limits.h>
#include <pthread.h>
#include <stdint.h>

/* Bits of __kind beyond the type: a mutex with one of the first four keeps its
 * list node for itself (robust), or is shared with processes that do not know our
 * tags. */
enum {
    LGI_TYPE_BITS = 3,
    LGI_ROBUST = 16,
    LGI_PRIO_INHERIT = 32,
    LGI_PRIO_PROTECT = 64,
    LGI_PSHARED = 128,
    LGI_ELISION = 256, /* may be held without a trace in its fields */
    LGI_NO_ELISION = 512,
    LGI_KIND_BITS = 1011,    /* all of them */
    LGI_KIND_DESTROYED = -1, /* after pthread_mutex_destroy */
};

/* In __owner of a robust mutex whose owner died and that was not made consistent. */
enum { LGI_NOT_RECOVERABLE = INT_MAX - 1 };

static inline int lgi_kind_of(const pthread_mutex_t *mutex) {
    return __atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED);
}

/* Where its owner's id is (lge_owner_id).  A robust mutex that was got with EOWNERDEAD
 * names nobody in __owner until it is made consistent; its lock word does. */
static inline const int *lgi_mutex_owner(const pthread_mutex_t *mutex) {
    return lgi_kind_of(mutex) & LGI_ROBUST ? &mutex->__data.__lock : &mutex->__data.__owner;
}

/* What is seen of its holder. */
struct lgi_mutex_state {
    uint32_t locked; /* 0: nobody holds it */
    uint32_t owner;  /* kernel id; 0: not known, it is just being taken or given up */
};

static inline struct lgi_mutex_state lgi_mutex_state(const pthread_mutex_t *mutex) {
    enum { TID_BITS = 0x3fffffff, CEILING_BITS = -0x80000 };
    int kind = lgi_kind_of(mutex);
    uint32_t word = (uint32_t)__atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED);
    uint32_t owner = (uint32_t)__atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED);
    /* A trylock that says ENOTRECOVERABLE leaves its thread's id in __lock, and nobody holds it. */
    if ((kind & LGI_ROBUST) != 0 && owner == LGI_NOT_RECOVERABLE)
        return (struct lgi_mutex_state){0, 0};
    if (kind & (LGI_ROBUST | LGI_PRIO_INHERIT))
        return (struct lgi_mutex_state){word & TID_BITS, word & TID_BITS};
    if (kind & LGI_PRIO_PROTECT)
        word &= ~(uint32_t)CEILING_BITS;
    return (struct lgi_mutex_state){word, word == 0 ? 0 : owner};
}

#endif
