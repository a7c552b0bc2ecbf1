#include "interpose/once_runner.h"

#include "engine/map.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"
#include "platform/safe_read.h"

struct run {
    struct lge_thread *thread;
    uint32_t serial; /* the block may be another thread's by now */
    uintptr_t frame;
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

/* SIZE_MAX: none. */
static size_t find_left(const struct lge_thread *thread, uintptr_t sp) {
    for (size_t i = 0; i < runs.capacity; i++)
        if (is_of(runs.slots[i].value, thread) && ((struct run *)runs.slots[i].value)->frame < sp)
            return i;
    return SIZE_MAX;
}

void lgi_once_left(const struct lge_thread *thread, uintptr_t sp) {
    lgp_lock(&lock);
    for (size_t i; (i = find_left(thread, sp)) != SIZE_MAX;)
        forget(runs.slots[i].key);
    lgp_unlock(&lock);
}

void lgi_once_begins(struct lge_thread *thread, const pthread_once_t *control, uintptr_t frame) {
    struct run *run = lgp_alloc(sizeof *run);
    lgp_lock(&lock);
    forget((uintptr_t)control);
    if (run != NULL) {
        *run = (struct run){thread, lge_thread_serial(thread), frame};
        if (!lge_map_add(&runs, (uintptr_t)control, run))
            lgp_free(run, sizeof *run);
    }
    lgp_unlock(&lock);
}

void lgi_once_ends(const pthread_once_t *control) {
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

struct lge_thread *lgi_once_runner(const void *control) {
    lgp_lock(&lock);
    const struct run *run = lge_map_get(&runs, (uintptr_t)control);
    struct lge_thread *runner = run != NULL && is_of(run, run->thread) ? run->thread : NULL;
    lgp_unlock(&lock);
    return runner != NULL && in_progress(control) ? runner : NULL;
}

static size_t count_runs(const struct lge_thread *thread) {
    size_t count = 0;
    lgp_lock(&lock);
    for (size_t i = 0; i < runs.capacity; i++)
        count += is_of(runs.slots[i].value, thread);
    lgp_unlock(&lock);
    return count;
}

bool lgi_once_inside(const struct lge_thread *thread, const uintptr_t *frames, size_t count) {
    size_t inside = 0;
    for (size_t i = 0; i < count; i++)
        inside += frames[i] > (uintptr_t)start_of_section && frames[i] <= (uintptr_t)end_of_section;
    return inside != 0 && inside == count_runs(thread);
}

void lgi_once_runner_forget(void) {
    runs = (struct lge_map){0};
    atomic_store_explicit(&lock.state, 0, memory_order_relaxed);
}
