#include "interpose/sem_wait.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "interpose/on_deadlock.h"
#include "interpose/real.h"
#include "interpose/wait_slices.h"
#include "platform/system.h"

/* The kernel's idea of a signal action: rt_sigaction(2). */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* A handler ran during a slice.  sem_wait goes on when it was installed with
 * SA_RESTART, and else says EINTR; a wait with a time limit always says EINTR
 * (signal(7)), so we must find out what sem_wait would have done.  Which handler
 * it was nobody tells: EINTR if any could be without SA_RESTART. */
static bool handlers_restart(void) {
    uint64_t blocked = 0;
    lgp_syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&blocked, sizeof blocked, 0, 0);
    for (int number = 1; number <= 64; number++) {
        struct kernel_action action = {0};
        bool libcs_own = number >= 32 && number < SIGRTMIN;
        if (libcs_own || (blocked >> (number - 1) & 1) != 0)
            continue;
        if (lgp_syscall(SYS_rt_sigaction, number, 0, (long)&action, sizeof action.mask, 0, 0) != 0)
            continue;
        bool handled = action.handler != SIG_DFL && action.handler != SIG_IGN;
        if (handled && (action.flags & SA_RESTART) == 0)
            return false;
    }
    return true;
}

static void look_around(struct lge_thread *thread, const struct lge_request *request) {
    if (lgi_enter() == NULL)
        return;
    lgi_slice_passed(thread, request, NULL);
    lgi_leave(thread);
}

/* Keeps errno, which says why. */
static void give_up(struct lge_thread *thread, const struct lgi_limit *limit) {
    int error = errno;
    if (lgi_enter() == NULL)
        return;
    lgi_limit_passed(thread, limit, error);
    lgi_leave(thread);
    errno = error;
}

/* By a handler. */
static bool goes_on(const struct lgi_limit *limit) {
    return limit == NULL ? handlers_restart() : limit->told;
}

static int wait_in_slices(struct lge_thread *thread, sem_t *semaphore, const struct lge_request *request,
                          const struct lgi_limit *limit) {
    int saved = errno;
    struct lgi_slices slices = lgi_slices_start(thread, CLOCK_MONOTONIC, limit);
    for (;;) {
        const struct timespec *until = lgi_slice_begin(&slices);
        if (lgi_real.sem_clockwait(semaphore, slices.clock, until) == 0) {
            errno = saved;
            return 0;
        }
        bool restarted = errno == EINTR && goes_on(limit);
        bool passed = errno == ETIMEDOUT && !slices.last;
        if (!restarted && !passed) {
            give_up(thread, limit);
            return -1;
        }
        look_around(thread, request);
    }
}

static void end_wait(void *argument) {
    struct lge_thread *thread = argument;
    if (lgi_enter() == NULL)
        return;
    lge_wait_end(thread);
    lgi_leave(thread);
}

/* Its wait is published: we are in a handler that came meanwhile. */
static bool waits_already(const struct lge_thread *thread) {
    return thread->wait_suspended || lge_waiting(lge_wait_sequence(thread));
}

int lgi_sem_block(struct lge_thread *thread, sem_t *semaphore, const struct lge_request *request,
                  const struct lgi_limit *limit) {
    int result;
    if (waits_already(thread)) {
        lgi_leave(thread);
        return lgi_sem_pass_through(semaphore, limit);
    }
    if (lge_wait_begin(thread, request, NULL))
        lgi_on_deadlock();
    lgi_leave(thread);
    pthread_cleanup_push(end_wait, thread);
    result = wait_in_slices(thread, semaphore, request, limit);
    pthread_cleanup_pop(1);
    return result;
}

int lgi_sem_block_for_signal(struct lge_thread *thread, sem_t *semaphore, const struct lge_request *request) {
    int result;
    if (waits_already(thread)) {
        lgi_leave(thread);
        return lgi_sem_pass_through(semaphore, NULL);
    }
    if (lge_wait_signal(thread, request))
        lgi_on_deadlock();
    lgi_leave(thread);
    pthread_cleanup_push(end_wait, thread);
    result = lgi_real.sem_wait(semaphore);
    pthread_cleanup_pop(1);
    return result;
}
