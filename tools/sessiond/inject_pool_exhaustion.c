/* pool-exhaustion: a task that holds a database handle calls a function which takes one of
 * its own.  Alone that works; with as many tasks as handles each has its first one, and all
 * wait for a second.
 *
 * Found: the deadlock, of semaphore holders: each waits for a slot that the others hold.
 * Without Lockgraph: all that need the database hang for pool_wait_ms, then 503. */
#include "clock.h"
#include "inject_list.h"
#include "inject_stage.h"

enum { LOOK_MS = 5, FULL_MS = 3000 };

/* Of all these tasks. */
struct state {
    struct sd_pool *pool;
    _Atomic int ended, failed;
};

/* What makes it certain; on a busy day it is chance. */
static void wait_until_full(struct sd_pool *pool) {
    struct sd_pool_figures figures;
    int64_t until_ms = sd_now_ms() + FULL_MS;
    do {
        sd_cancel_pause(NULL, LOOK_MS);
        sd_pool_figures(pool, &figures);
    } while (figures.checked_out < figures.most && sd_left_ms(until_ms) > 0);
}

static bool look_up(struct state *state, struct sd_cancel *cancel, struct sd_error *error) {
    sqlite3 *second = sd_pool_take(state->pool, "look_up", cancel, error); /* right: the caller's */
    if (second == NULL)
        return false;
    sd_pool_give(state->pool, second);
    return true;
}

static bool body(struct sd_task *task, void *of, struct sd_text *result, struct sd_error *error) {
    struct state *state = of;
    sqlite3 *first = sd_pool_take(state->pool, "report", sd_task_cancel(task), error);
    (void)result;
    if (first == NULL)
        return false;
    wait_until_full(state->pool);
    bool done = look_up(state, sd_task_cancel(task), error);
    sd_pool_give(state->pool, first);
    return done;
}

static void done(uint64_t id, enum sd_task_state state, void *of) {
    struct state *all = of;
    (void)id;
    if (state != SD_TASK_COMPLETED)
        atomic_fetch_add(&all->failed, 1);
    atomic_fetch_add(&all->ended, 1);
}

static bool run(struct sd_service *service, struct sd_error *error) {
    struct state state = {.pool = service->http.main_pool};
    struct sd_pool_figures figures;
    sd_pool_figures(state.pool, &figures);
    int count = figures.most;
    struct sd_task_request request = {
        .name = "report", .kind = SD_TASK_GENERAL, .body = body, .done = done, .argument = &state};
    for (int at = 0; at < count; at++) {
        uint64_t id;
        if (!sd_tasks_submit(service->http.tasks, &request, &id, error))
            count = at; /* its end was told, too */
    }
    while (atomic_load(&state.ended) < count)
        sd_cancel_pause(NULL, LOOK_MS);
    int failed = atomic_load(&state.failed);
    return failed == 0 || sd_fail_busy(error, "pool_timeout", 1, "%d of %d tasks had no second handle",
                                       failed, (int)figures.most);
}

const struct sd_injection sd_inject_pool_exhaustion = {
    "pool-exhaustion", "deadlock", "error",
    "all that need the database hang for pool_wait_ms, then fail with pool_timeout", run};
