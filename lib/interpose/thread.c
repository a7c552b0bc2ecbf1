/* pthread_create, join and detach.  The end of a thread needs no hook of its
 * own: return, pthread_exit, thrd_exit and cancellation all pass the first
 * frame, which is ours. */
#include "interpose/thread.h"

#include <errno.h>
#include <time.h>

#include "engine/context.h"
#include "engine/misuse.h"
#include "engine/stall.h"
#include "interpose/mutex_misuse.h"
#include "interpose/on_deadlock.h"
#include "interpose/real.h"
#include "interpose/runtime.h"
#include "interpose/self.h"
#include "interpose/thread_exit.h"
#include "interpose/thread_table.h"
#include "platform/memory.h"
#include "platform/system.h"

/* What a new thread starts with. */
struct start {
    struct lge_thread *thread;
    uint32_t serial;
    void *(*routine)(void *);
    thrd_start_t routine_c11; /* instead of routine */
    void *argument;
    size_t stack_size;
};

/* ---- the thread's own side ---- */

/* glibc keeps the descriptor of a thread at the upper end of its stack, above
 * every frame: the outermost ones, libc's own, are higher than ours. */
static void begin(const struct start *start) {
    if (!lgi_up)
        return;
    lgi_local.inside = true;
    lgi_table_put(pthread_self(), start->thread, start->serial); /* first: see started() */
    lge_thread_begin(start->thread, lgp_tid(), (uintptr_t)pthread_self(), start->stack_size);
    lgi_local.block = start->thread;
    lgi_leave(start->thread);
}

struct running {
    struct lge_thread *thread;
    bool returned; /* from the program's own routine */
};

/* Destructors of thread-specific data may still run after this: they find the
 * block in place, it is not reused before the kernel thread is gone. */
static void end(void *argument) {
    const struct running *running = argument;
    struct lge_thread *thread = running->thread;
    if (thread->handlers.depth != 0)
        lgi_forget_left(thread, (uintptr_t)__builtin_frame_address(0));
    if (!lgi_up)
        return;
    lgi_local.inside = true;
    lgi_local.self = NULL;
    thread->cancelled = !running->returned && !thread->exits;
    if (thread->top != thread->base)
        lgi_thread_exit_holding(thread);
    lge_thread_end(thread);
    if (lge_stall_near())
        lgi_thread_exit_last(thread);
    if (thread->has_dependencies)
        lgi_write_figures();
    lgi_leave(thread);
}

static struct start take(void *memory) {
    struct start start = *(struct start *)memory;
    lgp_free(memory, sizeof start);
    return start;
}

static void *run(void *memory) {
    struct start start = take(memory);
    struct running running = {start.thread, false};
    void *result;
    begin(&start);
    pthread_cleanup_push(end, &running);
    result = start.routine(start.argument);
    running.returned = true;
    pthread_cleanup_pop(1);
    return result;
}

static int run_c11(void *memory) {
    struct start start = take(memory);
    struct running running = {start.thread, false};
    int result;
    begin(&start);
    pthread_cleanup_push(end, &running);
    result = start.routine_c11(start.argument);
    running.returned = true;
    pthread_cleanup_pop(1);
    return result;
}

/* ---- creation ---- */

/* What is certain to be its own below a new thread's descriptor, which is less than a
 * page long and lies within the stack.  A stack of no stated size has the default one. */
static size_t stack_size(const pthread_attr_t *attributes) {
    enum { PAGE = 4096 };
    pthread_attr_t plain;
    size_t size = 0;
    if (attributes != NULL) {
        pthread_attr_getstacksize(attributes, &size);
    } else if (pthread_attr_init(&plain) == 0) {
        pthread_attr_getstacksize(&plain, &size);
        pthread_attr_destroy(&plain);
    }
    return size > PAGE ? size - PAGE : 0;
}

static struct start *prepare(struct lge_thread *parent, uintptr_t routine, const pthread_attr_t *attributes,
                             uintptr_t site, uintptr_t sp) {
    struct start *start = lgp_alloc(sizeof *start);
    if (start == NULL)
        return NULL;
    start->thread = lge_thread_new(parent, routine, lge_context_capture(parent, site, sp));
    if (start->thread == NULL) {
        lgp_free(start, sizeof *start);
        return NULL;
    }
    start->serial = lge_thread_serial(start->thread);
    start->stack_size = stack_size(attributes);
    return start;
}

/* Enters the new thread for those who might join it before it has run.  Once it
 * has begun it has entered itself, and may already have freed the memory that the
 * handle was stored in. */
static void started(const pthread_t *handle, struct lge_thread *thread, uint32_t serial) {
    pthread_t copy;
    if (!lge_thread_begun(thread, serial) && lgp_read_safely(&copy, handle, sizeof copy))
        lgi_table_put_new(copy, thread, serial);
}

static void abandon(struct start *start) {
    lge_thread_abandon(start->thread);
    lgp_free(start, sizeof *start);
}

static bool creates_detached(const pthread_attr_t *attributes) {
    int state = PTHREAD_CREATE_JOINABLE;
    if (attributes != NULL)
        pthread_attr_getdetachstate(attributes, &state);
    return state == PTHREAD_CREATE_DETACHED;
}

LGI_EXPORT int pthread_create(pthread_t *restrict handle, const pthread_attr_t *restrict attributes,
                              void *(*routine)(void *), void *restrict argument) {
    struct lge_thread *parent = lgi_enter();
    struct start *start =
        parent == NULL ? NULL : prepare(parent, (uintptr_t)routine, attributes, LGI_SITE(), LGI_SP());
    if (parent != NULL)
        lgi_leave(parent);
    if (start == NULL)
        return lgi_real.create(handle, attributes, routine, argument);
    start->routine = routine;
    start->argument = argument;
    struct lge_thread *thread = start->thread;
    uint32_t serial = start->serial;
    if (creates_detached(attributes))
        lge_thread_detached(thread);
    int result = lgi_real.create(handle, attributes, run, start);
    if (lgi_enter() == NULL)
        return result;
    if (result == 0)
        started(handle, thread, serial);
    else
        abandon(start);
    lgi_look_at_result(parent, NULL, result, LGI_SITE(), LGI_SP());
    lgi_leave(parent);
    return result;
}

int lgi_thread_create_c11(thrd_t *handle, thrd_start_t routine, void *argument, uintptr_t site,
                          uintptr_t sp) {
    struct lge_thread *parent = lgi_enter();
    struct start *start = parent == NULL ? NULL : prepare(parent, (uintptr_t)routine, NULL, site, sp);
    if (parent != NULL)
        lgi_leave(parent);
    if (start == NULL)
        return lgi_real.thrd_create(handle, routine, argument);
    start->routine_c11 = routine;
    start->argument = argument;
    struct lge_thread *thread = start->thread;
    uint32_t serial = start->serial;
    int result = lgi_real.thrd_create(handle, run_c11, start);
    if (lgi_enter() == NULL)
        return result;
    if (result == thrd_success)
        started(handle, thread, serial);
    else
        abandon(start);
    lgi_leave(parent);
    return result;
}

/* ---- join ---- */

/* A join in progress. */
struct joining {
    struct lge_thread *thread; /* NULL: not tracked */
    struct lge_thread *target;
    uint32_t serial; /* the target's */
    pthread_t handle;
};

static void report_join_of_self(struct lge_thread *thread, uintptr_t site, uintptr_t sp) {
    struct lge_misuse misuse = {
        .kind = LGR_KIND_JOIN_SELF, .site = site, .sp = sp, .earlier_context = thread->creation_context};
    lge_report_misuse(thread, &misuse);
}

static void begin_join(struct joining *joining, pthread_t handle, bool timed, uintptr_t site, uintptr_t sp) {
    joining->handle = handle;
    joining->thread = lgi_enter();
    if (joining->thread == NULL)
        return;
    if (pthread_equal(handle, pthread_self()))
        report_join_of_self(joining->thread, site, sp);
    joining->target = lgi_table_get(handle, &joining->serial);
    if (joining->target == NULL || joining->target == joining->thread) {
        lgi_leave(joining->thread);
        joining->thread = NULL;
        return;
    }
    if (lge_wait_join(joining->thread, joining->target, site, sp, 0, timed))
        lgi_on_deadlock();
    lgi_leave(joining->thread);
}

/* Also when the join was cancelled. */
static void end_wait(void *argument) {
    struct joining *joining = argument;
    if (joining->thread == NULL || lgi_enter() == NULL)
        return;
    lge_wait_end(joining->thread);
    lgi_leave(joining->thread);
}

static void joined(const struct joining *joining) {
    if (joining->thread == NULL || lgi_enter() == NULL)
        return;
    lgi_table_remove(joining->handle, joining->target, joining->serial);
    lge_thread_joined(joining->thread, joining->target, joining->serial);
    lgi_leave(joining->thread);
}

static void look_at_result(int result, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = result == 0 ? NULL : lgi_enter();
    if (thread == NULL)
        return;
    lgi_look_at_result(thread, NULL, result, site, sp);
    lgi_leave(thread);
}

LGI_EXPORT int pthread_join(pthread_t handle, void **value) {
    int result;
    struct joining joining;
    begin_join(&joining, handle, false, LGI_SITE(), LGI_SP());
    pthread_cleanup_push(end_wait, &joining);
    result = lgi_real.join(handle, value);
    pthread_cleanup_pop(1);
    if (result == 0)
        joined(&joining);
    if (!pthread_equal(handle, pthread_self())) /* that is a kind of its own */
        look_at_result(result, LGI_SITE(), LGI_SP());
    return result;
}

LGI_EXPORT int pthread_timedjoin_np(pthread_t handle, void **value, const struct timespec *at) {
    int result;
    struct joining joining;
    begin_join(&joining, handle, at != NULL, LGI_SITE(), LGI_SP());
    pthread_cleanup_push(end_wait, &joining);
    result = lgi_real.timedjoin(handle, value, at);
    pthread_cleanup_pop(1);
    if (result == 0)
        joined(&joining);
    return result;
}

LGI_EXPORT int pthread_clockjoin_np(pthread_t handle, void **value, clockid_t clock,
                                    const struct timespec *at) {
    int result;
    struct joining joining;
    begin_join(&joining, handle, at != NULL, LGI_SITE(), LGI_SP());
    pthread_cleanup_push(end_wait, &joining);
    result = lgi_real.clockjoin(handle, value, clock, at);
    pthread_cleanup_pop(1);
    if (result == 0)
        joined(&joining);
    return result;
}

LGI_EXPORT int pthread_tryjoin_np(pthread_t handle, void **value) {
    struct lge_thread *target = NULL, *thread = lgi_enter();
    uint32_t serial = 0;
    if (thread != NULL) {
        target = lgi_table_get(handle, &serial);
        lgi_leave(thread);
    }
    int result = lgi_real.tryjoin(handle, value);
    if (result == 0 && target != NULL) {
        struct joining joining = {thread, target, serial, handle};
        joined(&joining);
    }
    return result;
}

int lgi_thread_join_c11(thrd_t handle, int *value, uintptr_t site, uintptr_t sp) {
    int result;
    struct joining joining;
    begin_join(&joining, handle, false, site, sp);
    pthread_cleanup_push(end_wait, &joining);
    result = lgi_real.thrd_join(handle, value);
    pthread_cleanup_pop(1);
    if (result == thrd_success)
        joined(&joining);
    return result;
}

void lgi_thread_detached(pthread_t handle) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    uint32_t serial;
    struct lge_thread *target = lgi_table_get(handle, &serial);
    if (target != NULL) {
        lgi_table_remove(handle, target, serial);
        lge_thread_detached(target);
    }
    lgi_leave(thread);
}

LGI_EXPORT int pthread_detach(pthread_t handle) {
    lgi_thread_detached(handle);
    int result = lgi_real.detach(handle);
    look_at_result(result, LGI_SITE(), LGI_SP());
    return result;
}
