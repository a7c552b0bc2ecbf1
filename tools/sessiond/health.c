#include "health.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

enum { LOOPS = 64, WORKERS = 256, TASKS = 512 };

/* "": all made their rounds. */
static void late_loop(char name[16]) {
    struct sd_loop_figures loops[LOOPS];
    size_t count = sd_loops_figures(loops, LOOPS);
    name[0] = 0;
    for (size_t i = 0; i < count; i++)
        if (loops[i].beat_age_ms > loops[i].heartbeat_ms)
            sd_copy(name, 16, loops[i].name);
}

static bool workers_alive(const struct sd_http_context *context) {
    struct sd_worker_figures *workers = calloc(WORKERS, sizeof *workers);
    size_t count = workers == NULL ? 0 : sd_workers_figures(context->workers, workers, WORKERS), alive = 0;
    for (size_t i = 0; i < count; i++)
        alive += workers[i].alive;
    free(workers);
    return count == 0 || alive > 0;
}

static bool handles_left(struct sd_pool *pool) {
    struct sd_pool_figures figures;
    sd_pool_figures(pool, &figures);
    return figures.checked_out < figures.most;
}

/* Slots that are all held by tasks that do not answer will not come back. */
static bool tasks_answer(const struct sd_http_context *context) {
    struct sd_task_figures figures;
    if (!sd_tasks_figures(context->tasks, &figures, NULL))
        return false;
    for (int kind = 0; kind < SD_TASK_KINDS; kind++)
        if (figures.kinds[kind].limit > 0 && figures.kinds[kind].unresponsive >= figures.kinds[kind].limit)
            return false;
    return true;
}

json_t *sd_health_json(const struct sd_http_context *context, bool closing, bool *well) {
    char late[16];
    late_loop(late);
    bool loops = late[0] == 0, workers = workers_alive(context), tasks = tasks_answer(context);
    bool handles = handles_left(context->main_pool) && handles_left(context->sync_pool);
    *well = loops && workers && tasks && !closing; /* a pool that is used up comes back by itself */
    json_t *json = json_pack("{s:s, s:{s:b, s:b, s:b, s:b, s:b}}", "status", *well ? "ok" : "failing",
                             "checks", "loops", loops, "workers", workers, "tasks", tasks, "database_handles",
                             handles, "accepting", !closing);
    if (!loops && json != NULL)
        json_object_set_new(json, "late_loop", json_string(late));
    return json;
}

json_t *sd_task_kind_json(const struct sd_task_kind_figures *kind) {
    json_t *json = json_pack("{s:i, s:i, s:i, s:i, s:I, s:I, s:I}", "limit", kind->limit, "active",
                             kind->active, "unresponsive", kind->unresponsive, "replaced", kind->replaced,
                             "p50_us", (json_int_t)kind->p50_us, "p95_us", (json_int_t)kind->p95_us, "p99_us",
                             (json_int_t)kind->p99_us);
    uint64_t ended = 0, completed = kind->ended[SD_TASK_COMPLETED];
    for (int state = SD_TASK_COMPLETED; json != NULL && state < SD_TASK_STATES; state++) {
        json_object_set_new(json, sd_task_state_name((enum sd_task_state)state),
                            json_integer((json_int_t)kind->ended[state]));
        ended += state == SD_TASK_REFUSED ? 0 : kind->ended[state];
    }
    double rate = ended == 0 ? 1 : (double)completed / (double)ended;
    json_object_set_new(json, "success_rate", json_real(rate));
    return json;
}

/* Tasks of one name are one entry: how many, and how old the oldest is. */
static json_t *names_json(const struct sd_task_view *views, size_t count) {
    json_t *names = json_object();
    int64_t now = sd_wall_ms();
    for (size_t i = 0; i < count; i++) {
        json_t *name = json_object_get(names, views[i].name);
        if (name == NULL) { /* oldest first */
            name = json_pack("{s:i, s:i, s:I}", "running", 0, "queued", 0, "oldest_ms",
                             (json_int_t)(now - views[i].submitted_ms));
            json_object_set_new(names, views[i].name, name);
        }
        const char *state = views[i].state == SD_TASK_RUNNING ? "running" : "queued";
        json_object_set_new(name, state, json_integer(json_integer_value(json_object_get(name, state)) + 1));
    }
    return names;
}

static json_t *all_names_json(const struct sd_http_context *context) {
    struct sd_task_view *views = calloc(TASKS, sizeof *views);
    json_t *names = names_json(views, views == NULL ? 0 : sd_tasks_list(context->tasks, views, TASKS));
    free(views);
    return names;
}

json_t *sd_health_tasks_json(const struct sd_http_context *context, struct sd_error *error) {
    struct sd_task_figures figures;
    if (!sd_tasks_figures(context->tasks, &figures, error))
        return NULL;
    json_t *kinds = json_object();
    for (int kind = 0; kind < SD_TASK_KINDS; kind++)
        json_object_set_new(kinds, sd_task_kind_name((enum sd_task_kind)kind),
                            sd_task_kind_json(&figures.kinds[kind]));
    json_t *json = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "active", figures.active,
                             "active_database", figures.active_database, "queued", figures.queued,
                             "queue_limit", figures.queue_limit, "kept", figures.kept, "threads",
                             figures.threads, "kinds", kinds, "names", all_names_json(context));
    if (json == NULL)
        sd_fail_busy(error, "no_memory", 1, "no memory for the figures");
    return json;
}
