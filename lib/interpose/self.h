/* The calling thread, as the runtime knows it, and the guard against
 * re-entering the runtime.
 *
 * `self` is NULL while the runtime itself runs on this thread, in a signal
 * handler of the program, and before the thread is known, so that the one test every interposed call makes
 * anyway also keeps handlers and nested calls out: what they lock meanwhile is passed through untracked. */
#ifndef LOCKGRAPH_INTERPOSE_SELF_H
#define LOCKGRAPH_INTERPOSE_SELF_H

#include "engine/thread.h"

#define LGI_EXPORT      __attribute__((visibility("default")))
#define LGI_HOT         __attribute__((hot, aligned(64))) /* of every lock that is free */
#define LGI_LIKELY(x)   __builtin_expect(!!(x), 1)
#define LGI_UNLIKELY(x) __builtin_expect(!!(x), 0)

struct lgi_thread_local {
    struct lge_thread *self;  /* NULL: not known, or inside the runtime */
    struct lge_thread *block; /* NULL: not known yet */
    bool inside;
    bool blocked; /* inside, where the program itself would wait, or in a callback of it: handlers may come */
    bool forking; /* fork handlers run */
    struct lgi_noted *noted; /* for callbacks of the program (told_later.h) */
};
extern __thread struct lgi_thread_local lgi_local __attribute__((tls_model("initial-exec")));

static inline struct lge_thread *lgi_self(void) { return lgi_local.self; }

/* Every lock call is to go the slow way, for it to be told or timed: `self` is NULL all the
 * time.  Written by the constructor. */
extern bool lgi_all_slow;
/* As lgi_self, and also then. */
static inline struct lge_thread *lgi_outside(void) {
    struct lge_thread *block = lgi_local.block;
    if (LGI_LIKELY(!lgi_all_slow))
        return lgi_local.self;
    return lgi_local.inside || block == NULL || block->handlers.depth != 0 ? NULL : block;
}

/* Enters the runtime; a thread that was not created through us is taken in
 * now.  NULL: already inside, or the runtime is not up: pass the call through.
 * Every non-NULL result needs lgi_leave. */
struct lge_thread *lgi_enter(void);
void lgi_leave(struct lge_thread *thread);

/* From the constructor. */
void lgi_self_start(void);

/* The thread is at `sp`, outside handlers that it left by siglongjmp.  One of them may
 * have interrupted the runtime, which then does not go on either. */
void lgi_forget_left(struct lge_thread *thread, uintptr_t sp);

/* The runtime is up: set by the constructor, cleared for ever where it cannot go
 * on (a child forked out of it, a handler that left it half-way).  Relaxed: who
 * sees it late goes on a moment longer. */
extern _Atomic bool lgi_up;

/* Inside: around a call that waits as long as the program would, with nothing half done.
 * Handlers of the program run at once then, and what they lock is seen. */
void lgi_block(void);
void lgi_unblock(void);

/* Where the interposed function was called: its return address and the stack
 * pointer of its caller at the call. */
#define LGI_SITE() ((uintptr_t)__builtin_return_address(0))
#define LGI_SP()   ((uintptr_t)__builtin_dwarf_cfa())

#endif
