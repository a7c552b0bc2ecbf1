#include "interpose/self.h"

#include "engine/check.h"
#include "interpose/runtime.h"
#include "interpose/thread_table.h"
#include "interpose/told_later.h"
#include "platform/futex_lock.h"
#include "platform/own_locks.h"
#include "platform/system.h"

__thread struct lgi_thread_local lgi_local __attribute__((tls_model("initial-exec")));
_Atomic bool lgi_up;
bool lgi_all_slow;

/* Where the loader found the first thread's stack to begin. */
extern void *__libc_stack_end __attribute__((weak));

/* The kernel keeps more than that free below the first thread's stack, whatever its limit. */
enum { FIRST_STACK = 64 << 20 };

static uintptr_t top_of_stack(uint32_t tid) {
    return tid == lgp_pid() && &__libc_stack_end != NULL ? (uintptr_t)__libc_stack_end : 0;
}

static struct lge_thread *adopt(void) {
    uint32_t tid = lgp_tid();
    struct lge_thread *thread = lge_thread_new(NULL, 0, 0);
    if (thread == NULL)
        return NULL;
    lge_thread_begin(thread, tid, top_of_stack(tid), FIRST_STACK);
    if (tid != lgp_pid())
        lge_thread_adopted(thread);
    lgi_table_put(pthread_self(), thread, lge_thread_serial(thread));
    lgi_local.block = thread;
    return thread;
}

/* What one of our locks guards is half done, and others get the lock: nothing is
 * looked at any more. */
static void stop_looking(void) {
    lge_degrade(LGR_DEGRADED_LEFT);
    lgi_up = false;
}

void lgi_self_start(void) { lgp_lock_on_taken_away(stop_looking); }

/* A handler that could not be put off was left, and with it the runtime, in the
 * middle of what one of its locks guards.  Others may wait for that lock. */
static void give_up(void) {
    stop_looking(); /* first: another handler may be left in here */
    lgp_locks_left();
    lgi_write_figures();
}

/* What is put off while the runtime is inside comes now. */
static void come_out(void) {
    lgi_local.blocked = false;
    lgi_local.inside = false;
    atomic_signal_fence(memory_order_seq_cst);
    if (LGI_UNLIKELY(lgp_own_locks.put_off != 0))
        lgp_own_let_through();
}

/* Whoever comes meanwhile finds the runtime still occupied. */
static void leave_interrupted(struct lge_thread *thread, bool waited) {
    lgi_local.inside = true;
    if (lgp_own_locks.count != 0)
        give_up();
    else if (waited)
        lge_wait_end(thread);
    come_out();
}

/* What an outer handler interrupted goes on when that returns. */
__attribute__((noinline)) void lgi_forget_left(struct lge_thread *thread, uintptr_t sp) {
    struct lge_handlers *handlers = &thread->handlers;
    for (uint32_t depth; (depth = handlers->depth) != 0;) {
        const struct lge_handler_mark *mark = lge_handler_at(handlers, depth),
                                      *outer = lge_handler_at(handlers, depth - 1);
        if (!lge_handler_left(mark, sp))
            return;
        bool waited = mark->suspends && thread->wait_suspended;
        bool interrupted = (outer == NULL || !outer->unseen) && (mark->inside || waited);
        lgi_local.inside |= interrupted;
        atomic_signal_fence(memory_order_seq_cst); /* a handler that comes in between does not do it again */
        handlers->depth = depth - 1;
        if (interrupted)
            leave_interrupted(thread, waited);
    }
}

struct lge_thread *lgi_enter(void) {
    if (LGI_UNLIKELY(lgi_local.block != NULL && lgi_local.block->handlers.depth != 0))
        lgi_forget_left(lgi_local.block, (uintptr_t)__builtin_frame_address(0));
    if (!lgi_up || lgi_local.inside)
        return NULL;
    lgi_local.inside = true;
    struct lge_thread *thread = lgi_local.block;
    if (thread == NULL)
        thread = adopt();
    if (thread == NULL)
        come_out();
    lgi_local.self = NULL;
    return thread;
}

void lgi_leave(struct lge_thread *thread) {
    if (LGI_UNLIKELY(lgi_local.noted != NULL && thread->handlers.depth == 0))
        lgi_tell_noted();
    lgi_local.self = lgi_up && !lgi_all_slow && thread->handlers.depth == 0 ? thread : NULL;
    come_out();
}

void lgi_block(void) {
    lgi_local.blocked = true;
    atomic_signal_fence(memory_order_seq_cst);
    if (LGI_UNLIKELY(lgp_own_locks.put_off != 0))
        lgp_own_let_through();
}

void lgi_unblock(void) {
    lgi_local.blocked = false;
    atomic_signal_fence(memory_order_seq_cst);
}
