#include "interpose/once_runner.h"

#include "engine/map.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"
#include "platform/safe_read.h"

struct run {
    struct lge_thread *thread;
    uint32_t serial; /* the block may be another thread's by now */
    uintptr_t frame;
    bool variable; /* a static one of C++, no routine */
};

bool lgi_once_readable;
static struct lgp_lock lock;
static struct lge_map runs; /* by control */

/* The linker's, around LGI_CALLS_ROUTINE. */
extern const char start_of_section[] __asm__("__start_lockgraph_once") __attribute__((visibility("hidden")));
extern const char end_of_section[] __asm__("__stop_lockgraph_once") __attribute__((visibility("hidden")));

static void forget(uint64_t control) {
    struct run *old = lge_map_get(&runs, control);
    if (old == NULL)
        return;
    lge_map_remove(&runs, control, old);
    lgp_free(old, sizeof *old);
}

static bool is_of(const struct run *run, const struct lge_thread *thread) {
    return run != NULL && run->thread == thread && run->serial == lge_thread_serial(thread);
}

static bool is_routine_of(const struct run *run, const struct lge_thread *thread) {
    return is_of(run, thread) && !run->variable;
}

/* SIZE_MAX: none. */
static size_t find_left(const struct lge_thread *thread, uintptr_t sp) {
    for (size_t i = 0; i < runs.capacity; i++)
        if (is_routine_of(runs.slots[i].value, thread) && ((struct run *)runs.slots[i].value)->frame < sp)
            return i;
    return SIZE_MAX;
}

void lgi_once_left(const struct lge_thread *thread, uintptr_t sp) {
    lgp_lock(&lock);
    for (size_t i; (i = find_left(thread, sp)) != SIZE_MAX;)
        forget(runs.slots[i].key);
    lgp_unlock(&lock);
}

static void begin(struct lge_thread *thread, const void *control, uintptr_t frame, bool variable) {
    struct run *run = lgp_alloc(sizeof *run);
    lgp_lock(&lock);
    forget((uintptr_t)control);
    if (run != NULL) {
        *run = (struct run){thread, lge_thread_serial(thread), frame, variable};
        if (!lge_map_add(&runs, (uintptr_t)control, run))
            lgp_free(run, sizeof *run);
    }
    lgp_unlock(&lock);
}

void lgi_once_begins(struct lge_thread *thread, const pthread_once_t *control, uintptr_t frame) {
    begin(thread, control, frame, false);
}

void lgi_static_begins(struct lge_thread *thread, const uint64_t *guard, uintptr_t frame) {
    begin(thread, guard, frame, true);
}

void lgi_once_ends(const void *control) {
    lgp_lock(&lock);
    forget((uintptr_t)control);
    lgp_unlock(&lock);
}

/* A routine that was left is not in progress, until somebody begins it anew. */
static bool in_progress(const void *control) {
    int value = 0;
    return lgi_once_readable && lgp_read_safely(&value, control, sizeof value) &&
           (value & (LGI_ONCE_IN_PROGRESS | LGI_ONCE_DONE)) == LGI_ONCE_IN_PROGRESS;
}

/* Whoever is through with a variable, or leaves it, says so. */
static bool being_initialised(const void *guard) {
    uint64_t value = 0;
    return lgp_read_safely(&value, guard, sizeof value) && value != 0 && *(unsigned char *)&value == 0;
}

struct lge_thread *lgi_once_runner(const void *control) {
    lgp_lock(&lock);
    const struct run *run = lge_map_get(&runs, (uintptr_t)control);
    struct lge_thread *runner = run != NULL && is_of(run, run->thread) ? run->thread : NULL;
    bool variable = runner != NULL && run->variable;
    lgp_unlock(&lock);
    return runner != NULL && (variable ? being_initialised(control) : in_progress(control)) ? runner : NULL;
}

struct counts {
    size_t routines, variables;
};

/* Variables only where the thread is still at work on them, further down its stack: the
 * caller of the initialiser may use a little less of it than at its first call. */
static struct counts count_runs(const struct lge_thread *thread) {
    enum { LESS = 1024 };
    struct counts counts = {0, 0};
    lgp_lock(&lock);
    for (size_t i = 0; i < runs.capacity; i++) {
        const struct run *run = runs.slots[i].value;
        counts.routines += is_routine_of(run, thread);
        counts.variables += is_of(run, thread) && run->variable && thread->request.sp <= run->frame + LESS;
    }
    lgp_unlock(&lock);
    return counts;
}

bool lgi_once_inside(const struct lge_thread *thread, const uintptr_t *frames, size_t count) {
    size_t inside = 0;
    for (size_t i = 0; i < count; i++)
        inside += frames[i] > (uintptr_t)start_of_section && frames[i] <= (uintptr_t)end_of_section;
    struct counts counts = count_runs(thread);
    return inside == counts.routines && counts.routines + counts.variables != 0;
}

void lgi_once_runner_forget(void) {
    runs = (struct lge_map){0};
    atomic_store_explicit(&lock.state, 0, memory_order_relaxed);
}
