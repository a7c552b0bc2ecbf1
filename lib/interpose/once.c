/* pthread_once: POSIX.1-2017 pthread_once(3p).
 *
 * The routine is started by one of ours, which runs on the thread that libc
 * chose and tells what that thread knows when the routine is over; a routine
 * that is left by an exception, a jump or cancellation has not run. */
#include "interpose/once.h"

#include "interpose/on_deadlock.h"
#include "interpose/once_order.h"
#include "interpose/once_runner.h"
#include "interpose/real.h"
#include "interpose/self.h"

/* The call of pthread_once that libc may be about to run the routine for.  Read
 * before the routine, so that calls inside the routine may overwrite it. */
struct call {
    pthread_once_t *control;
    void (*routine)(void);
    struct lge_thread *thread;
};
static __thread struct call *current __attribute__((tls_model("initial-exec")));

/* Acquire: pairs with libc's release when the routine is over. */
static bool done(const pthread_once_t *control) {
    return lgi_once_readable && (__atomic_load_n(control, __ATOMIC_ACQUIRE) & LGI_ONCE_DONE) != 0;
}

/* Routines that the thread is in, or has left by an exception or a jump. */
static __thread unsigned began __attribute__((tls_model("initial-exec")));

/* First of all, whoever ran it before is told to do so no more; it may have waited until
 * that one left it. */
LGI_CALLS_ROUTINE static void run(void) {
    struct call call = *current;
    if (lgi_enter() != NULL) {
        lgi_once_begins(call.thread, call.control, LGI_SP());
        lge_wait_end(call.thread);
        lgi_leave(call.thread);
    }
    began++;
    call.routine();
    began--;
    if (lgi_enter() == NULL)
        return;
    lgi_once_ends(call.control);
    lgi_once_ran(call.thread, call.control);
    lgi_leave(call.thread);
}

/* Whoever gets there first runs it: until it is known who, all of them wait.  Of one for
 * whom others wait neither at a lock nor at a control that is seldom worth its cost. */
static bool worth_telling(const struct call *call) {
    if (lge_depth(call->thread) != 0 || began != 0)
        return !done(call->control);
    return lgi_once_runner(call->control) != NULL;
}

static bool begin_wait(const struct call *call, uintptr_t site, uintptr_t sp) {
    if (!worth_telling(call) || lgi_enter() == NULL)
        return false;
    if (began != 0)
        lgi_once_left(call->thread, sp);
    if (lge_wait_once(call->thread, call->control, site, sp))
        lgi_on_deadlock();
    lgi_leave(call->thread);
    return true;
}

static void end_wait(struct lge_thread *thread) {
    if (lgi_enter() == NULL)
        return;
    lge_wait_end(thread);
    lgi_leave(thread);
}

static int call_tracked(struct lge_thread *thread, pthread_once_t *control, void (*routine)(void),
                        uintptr_t site, uintptr_t sp) {
    struct call call = {control, routine, thread}, *outer = current;
    bool waits = begin_wait(&call, site, sp);
    current = &call;
    int result = lgi_real.once(control, run);
    current = outer;
    if (waits)
        end_wait(thread);
    if (result != 0 || lgi_once_settled(thread, control) || lgi_enter() == NULL)
        return result;
    lgi_once_returned(thread, control);
    lgi_leave(thread);
    return result;
}

__attribute__((noinline)) static int once_unsettled(pthread_once_t *control, void (*routine)(void),
                                                    uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return lgi_real.once(control, routine);
    lgi_leave(thread);
    return call_tracked(thread, control, routine, site, sp);
}

int lgi_once(pthread_once_t *control, void (*routine)(void), uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_self();
    if (LGI_LIKELY(thread != NULL && done(control) && lgi_once_settled(thread, control)))
        return 0;
    return once_unsettled(control, routine, site, sp);
}

LGI_EXPORT int pthread_once(pthread_once_t *control, void (*routine)(void)) {
    return lgi_once(control, routine, LGI_SITE(), LGI_SP());
}

static void nothing(void) {}

void lgi_once_start(void) {
    pthread_once_t control = PTHREAD_ONCE_INIT;
    lgi_once_readable = lgi_real_is_libc("pthread_once", (void *)lgi_real.once) && control == 0 &&
                        lgi_real.once(&control, nothing) == 0 && control == LGI_ONCE_DONE;
}
