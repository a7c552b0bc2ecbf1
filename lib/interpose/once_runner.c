#include "interpose/once_runner.h"

#include "engine/map.h"
#include "platform/futex_lock.h"
#include "platform/safe_read.h"

/* nptl/pthreadP.h: how a control says that its routine is being run. */
enum { IN_PROGRESS = 1, DONE = 2 };

static bool readable;
static struct lgp_lock lock;
static struct lge_map runners; /* thread by control */

void lgi_once_runner_start(void) { readable = true; }

static void forget(const void *control) {
    void *old = lge_map_get(&runners, (uintptr_t)control);
    if (old != NULL)
        lge_map_remove(&runners, (uintptr_t)control, old);
}

void lgi_once_begins(struct lge_thread *thread, const pthread_once_t *control) {
    lgp_lock(&lock);
    forget(control); /* one that left its routine by a jump or an exception */
    lge_map_add(&runners, (uintptr_t)control, thread);
    lgp_unlock(&lock);
}

void lgi_once_ends(const pthread_once_t *control) {
    lgp_lock(&lock);
    forget(control);
    lgp_unlock(&lock);
}

/* A routine that was left by an exception or cancellation is not in progress. */
static bool in_progress(const void *control) {
    int value = 0;
    return readable && lgp_read_safely(&value, control, sizeof value) && (value & IN_PROGRESS) != 0 &&
           (value & DONE) == 0;
}

struct lge_thread *lgi_once_runner(const void *control) {
    lgp_lock(&lock);
    struct lge_thread *runner = lge_map_get(&runners, (uintptr_t)control);
    lgp_unlock(&lock);
    return runner != NULL && in_progress(control) ? runner : NULL;
}

void lgi_once_runner_forget(void) {
    runners = (struct lge_map){0};
    atomic_store_explicit(&lock.state, 0, memory_order_relaxed);
}
