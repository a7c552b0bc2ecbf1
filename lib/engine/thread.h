/* The engine's view of a thread.
 *
 * Blocks are type-stable: they are reused, never unmapped, so a racing reader
 * (the wait-for search) may look at one that just ended and find out by its
 * sequence number or serial.
 *
 * | field                    | written by          | read by, order          |
 * | top…nested, caches       | owner               | owner                   |
 * | known slots              | owner (insert),     | owner (relaxed): a lost |
 * |                          | any under the list  | clear is impossible,    |
 * |                          | lock (clear)        | see known.h             |
 * | wait                     | owner (release)     | any (acquire, verified  |
 * |                          |                     | by wait.sequence)       |
 * | tid, serial              | owner at begin      | any (acquire/relaxed)   |
 * | past, time               | owner; creator      | owner; joiner after end |
 * |                          | before begin        |                         |
 * | next_in_list             | list lock           | list lock               |
 * | next_by_tid              | list lock (release) | any (acquire)           | */
#ifndef LOCKGRAPH_ENGINE_THREAD_H
#define LOCKGRAPH_ENGINE_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/handlers.h"
#include "engine/heartbeat.h"
#include "engine/held.h"
#include "engine/thread_waits.h"

struct lge_past;
struct lge_dependency;
struct lge_context_cache;
struct lge_step_cache;
struct lgr_thread_state;
struct lge_hold_times;
struct lge_class_times;
struct lge_usage;

enum lge_life { LGE_THREAD_FREE, LGE_THREAD_NEW, LGE_THREAD_RUNNING, LGE_THREAD_ENDED, LGE_THREAD_LEAVING };

/* What a thread waits for.  sequence is odd while it waits. */
struct lge_wait {
    _Atomic uint32_t sequence;
    _Atomic uint32_t kind;                  /* enum lgr_wait_kind */
    _Atomic uint64_t target;                /* lock id, thread serial, or address of a condition */
    _Atomic(const int *) owner;             /* owner field of the lock (lge_owner_id), or NULL */
    _Atomic(const void *) address;          /* of the lock, condition or barrier */
    _Atomic(struct lge_thread *) joined;    /* thread waited for */
    _Atomic(const _Atomic uint32_t *) over; /* not 0 once all have come to the barrier; or one of those who
                                               wait for the condition was signalled.  NULL elsewhere */
    _Atomic uint64_t since_ns;              /* real time, where it is endless */
    _Atomic uint32_t context;               /* 0 until the stack was recorded */
    _Atomic uint32_t mode;
    _Atomic uint32_t timed;
    _Atomic uint32_t endless;   /* no limit of its own, and nobody outside the process ends it */
    _Atomic uint32_t lock_kind; /* LOCK: enum lgr_lock_kind */
    _Atomic uint32_t shareable; /* the owner field tells of exclusive holders only */
    _Atomic uint32_t outside;   /* other processes may see the lock, too: its owner may be one of theirs */
    _Atomic uint32_t queues;    /* behind waiting writers */
    _Atomic uint32_t condition; /* wants the lock back after waiting for one */
    _Atomic uint32_t stacked;   /* held contexts are resolved, too */
    _Atomic uint32_t reported;
};

enum { LGE_NO_HOLDS = 1 }; /* chain key of the sentinel */
enum { LGE_SETTLED = 32, LGE_TIMES_AT = 4 };

struct lge_thread {
    /* hot: one cache line */
    struct lge_held *top;  /* newest hold, or base */
    struct lge_held *base; /* sentinel */
    struct lge_held *last; /* last usable entry */
    _Atomic uint32_t *known;
    uint64_t known_by_below, known_by_key; /* masks of the near home: known.h */
    _Atomic uint64_t nested;               /* acquisitions with another lock held; owner, figures: relaxed */
    _Atomic uint32_t tid;
    _Atomic uint32_t serial;

    /* cold */
    uint64_t known_mask;              /* slots minus one */
    uint64_t known_count;             /* keys after the slots: known.c */
    _Atomic uint64_t id_next, id_end; /* lock numbers set aside for this thread; owner, figures: relaxed */
    struct lge_context_cache *contexts;
    struct lge_step_cache *steps;
    uint32_t modules_epoch;     /* of both */
    uint64_t *recent;           /* class edges and watched chains seen: known.h */
    struct lge_request request; /* the request being waited for */
    struct lge_past *past;
    uint32_t time;      /* own component of the vector clock */
    uint32_t epoch;     /* raised by every incoming or outgoing order */
    uint32_t forgotten; /* times its known chains were forgotten for a new epoch */
    bool has_dependencies;
    bool detached; /* list lock */
    bool adopted;  /* list lock */
    struct lge_dependency *last_dependency;
    uintptr_t stack_low, stack_top; /* its own stack; equal where that is not known */
    uintptr_t start_routine;
    uint32_t creation_context;
    uint32_t parent;
    uint32_t recorded; /* evidence generation in which it was written */
    enum lge_life life;
    struct lge_wait wait;
    _Atomic uint64_t wait_since;    /* on the realtime clock; 0: not looked at again so far; relaxed */
    uint64_t wait_begun, wait_due;  /* monotonic: for a lock, with a time line any, and when it is to be told
                                       (overdue.h); owner */
    uint64_t hold_due;              /* when the hold in its way is to be told (overlong.h); owner */
    bool wait_told;                 /* it was; owner */
    uint64_t asked, asked_ns;       /* lock of the last request and its time, when traced; owner */
    bool wait_suspended;            /* a signal handler interrupted it; owner */
    uint8_t put_off;                /* searches in a row that were left to others; owner */
    bool counted;                   /* as waiting, in the census; owner */
    struct lgr_thread_state *state; /* its slot in the evidence file */
    uint32_t state_generation;
    char name[16];
    struct lge_thread *next_in_list, *previous_in_list;
    _Atomic(struct lge_thread *) next_by_tid;
    struct lge_heartbeat heartbeat;
    bool exits, cancelled;             /* by pthread_exit; owner */
    _Atomic uint32_t cancelled_by;     /* serial of who cancelled it last; relaxed, for reports */
    _Atomic uint32_t cancelled_at;     /* context of that call */
    struct lge_handlers handlers;      /* signal handlers it is in; owner */
    struct lge_hold_times *hold_times; /* hold_times.h */
    struct lge_class_times *times_at[LGE_TIMES_AT]; /* of these, those that were asked for last; owner */
    struct lge_usage *usage, *usage_at;             /* of its wait, and those it had before: usage.h; owner */
    uint32_t *operations;                           /* that it is in, outermost first: operation.h; owner */
    uint32_t operation_count, operation_room;
    bool wait_counted; /* in its usages; owner */
    struct lge_thread_waits waits;
    uint64_t searched;             /* the last search for a ring that came by; its lock */
    uint64_t settled[LGE_SETTLED]; /* the front end's: orders that bring it nothing new; owner */
};

/* All threads; the lock protects the list, block reuse and known-cache
 * clearing.  Lock order: graph.h. */
void lge_threads_lock(void);
void lge_threads_unlock(void);
struct lge_thread *lge_threads_first(void);
/* Those that ended and may still run destructors of the program. */
struct lge_thread *lge_threads_leaving(void);
/* These after those: the first, and the one after `thread`; NULL: no more. */
struct lge_thread *lge_threads_all(void);
struct lge_thread *lge_threads_after(const struct lge_thread *thread);

/* Doubles the held stack; false when memory is out. */
bool lge_thread_grow(struct lge_thread *thread);

static inline uint32_t lge_thread_tid(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->tid, memory_order_relaxed);
}

/* A figure that only the owner changes: no locked instruction. */
static inline void lge_count(_Atomic uint64_t *figure, uint64_t more) {
    uint64_t now = atomic_load_explicit(figure, memory_order_relaxed);
    atomic_store_explicit(figure, now + more, memory_order_relaxed);
}

/* Whether what it did so far can order anything. */
static inline bool lge_thread_has_past(const struct lge_thread *thread) {
    return thread->has_dependencies || thread->past != NULL;
}

/* Odd while it waits.  What another thread reads of a wait, or of the holds of
 * one that waits, is true of that wait when it was odd before and
 * lge_wait_unchanged says so afterwards. */
static inline uint32_t lge_wait_sequence(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->wait.sequence, memory_order_acquire);
}
/* What it waits for (enum lgr_wait_kind), and which: the target as format.h has it. */
static inline uint32_t lge_wait_kind(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->wait.kind, memory_order_relaxed);
}
static inline uint64_t lge_wait_target(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->wait.target, memory_order_relaxed);
}
static inline bool lge_waits_for_lock(const struct lge_thread *thread) {
    return lge_wait_kind(thread) == LGR_WAIT_LOCK;
}
/* The kernel id in an owner field; 0: nobody's.  The field may be a word that the kernel
 * knows, with a bit that somebody waits, and one that the owner died. */
static inline uint32_t lge_owner_id(int field) {
    enum { ID_BITS = 0x3fffffff }; /* FUTEX_TID_MASK */
    return (uint32_t)field & ID_BITS;
}
/* When a wait that was looked at again began; 0: it was not. */
static inline uint64_t lge_wait_since(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->wait_since, memory_order_relaxed);
}
static inline bool lge_waiting(uint32_t sequence) { return (sequence & 1) != 0; }
static inline bool lge_wait_unchanged(const struct lge_thread *thread, uint32_t sequence) {
    atomic_thread_fence(memory_order_acquire); /* what was read stays before this */
    return atomic_load_explicit(&thread->wait.sequence, memory_order_relaxed) == sequence;
}

/* Whether the stack slots from `sp` to the known top are certain to be mapped: not on
 * a stack that the program made and switched to. */
static inline bool lge_on_own_stack(const struct lge_thread *thread, uintptr_t sp) {
    return sp - thread->stack_low < thread->stack_top - thread->stack_low;
}

static inline size_t lge_depth(const struct lge_thread *thread) {
    return (size_t)(thread->top - thread->base);
}

/* The thread's newest hold of `address`; NULL: it holds none.  Owner only. */
static inline struct lge_held *lge_newest_hold(const struct lge_thread *thread, const void *address) {
    struct lge_held *held = thread->top;
    while (held != thread->base && held->address != address)
        held--;
    return held == thread->base ? NULL : held;
}

/* Adds a hold on top.  The caller has made sure that there is room. */
static inline void lge_push(struct lge_thread *thread, uint64_t key, uint64_t id, const void *address,
                            uintptr_t site, uintptr_t sp, uint32_t context, uint8_t mode, uint8_t kind,
                            uint8_t attributes) {
    struct lge_held *held = thread->top + 1;
    /* A signal handler that locks pushes above this entry, never into it, and
     * sees that it is not complete. */
    held->address = NULL;
    atomic_signal_fence(memory_order_release);
    thread->top = held;
    atomic_signal_fence(memory_order_release);
    held->key = key;
    held->id = id;
    held->site = site;
    held->sp = sp;
    held->context = context;
    held->mode = mode;
    held->kind = kind;
    held->attributes = attributes;
    held->marks = 0; /* so that one store writes all four */
    atomic_signal_fence(memory_order_release);
    held->address = address;
}

/* Takes the newest hold of `address` off the stack, wherever it is, and copies
 * it to *held when that is not NULL. */
bool lge_pop(struct lge_thread *thread, const void *address, struct lge_held *held);

/* In a forked child, as long as it has one thread: whether the parent has that lock,
 * too. */
bool lge_hold_shared(const struct lge_held *held);
/* ... takes these off the stack, but for locks of files: they are the parent's to give
 * up. */
void lge_thread_drop_shared(struct lge_thread *self);
/* After fork, in the child: `self` is the only thread; the others ended. */
void lge_threads_after_fork(struct lge_thread *self, uint32_t tid);
/* The same when the list was lost: `self` begins anew, with the holds it has,
 * whose ids mean nothing any more. */
void lge_threads_alone(struct lge_thread *self, uint32_t tid);
void lge_threads_reset(void);
uint64_t lge_threads_count(void);
uint64_t lge_threads_nested(void);
/* Lock numbers set aside and not used. */
uint64_t lge_threads_unused_numbers(void);

#endif
