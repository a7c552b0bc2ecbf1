/* pthread_once: POSIX.1-2017 pthread_once(3p).
 *
 * The routine is started by one of ours, which runs on the thread that libc
 * chose and tells what that thread knows when the routine is over; a routine
 * that is left by an exception, a jump or cancellation has not run. */
#include "interpose/once.h"

#include "interpose/once_order.h"
#include "interpose/real.h"
#include "interpose/self.h"

/* nptl/pthreadP.h: set in a control when its routine has run. */
enum { DONE = 2 };

/* Controls can be read without libc; written once by the constructor. */
static bool readable;

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
    return readable && (__atomic_load_n(control, __ATOMIC_ACQUIRE) & DONE) != 0;
}

static void run(void) {
    struct call call = *current;
    call.routine();
    if (lgi_enter() == NULL)
        return;
    lgi_once_ran(call.thread, call.control);
    lgi_leave(call.thread);
}

static int call_tracked(struct lge_thread *thread, pthread_once_t *control, void (*routine)(void)) {
    struct call call = {control, routine, thread}, *outer = current;
    current = &call;
    int result = lgi_real.once(control, run);
    current = outer;
    if (result != 0 || lgi_once_settled(thread, control) || lgi_enter() == NULL)
        return result;
    lgi_once_returned(thread, control);
    lgi_leave(thread);
    return result;
}

__attribute__((noinline)) static int once_unsettled(pthread_once_t *control, void (*routine)(void)) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return lgi_real.once(control, routine);
    lgi_leave(thread);
    return call_tracked(thread, control, routine);
}

int lgi_once(pthread_once_t *control, void (*routine)(void)) {
    struct lge_thread *thread = lgi_self();
    if (LGI_LIKELY(thread != NULL && done(control) && lgi_once_settled(thread, control)))
        return 0;
    return once_unsettled(control, routine);
}

LGI_EXPORT int pthread_once(pthread_once_t *control, void (*routine)(void)) {
    return lgi_once(control, routine);
}

static void nothing(void) {}

void lgi_once_start(void) {
    pthread_once_t control = PTHREAD_ONCE_INIT;
    readable = lgi_real_is_libc("pthread_once", (void *)lgi_real.once) && control == 0 &&
               lgi_real.once(&control, nothing) == 0 && control == DONE;
}
