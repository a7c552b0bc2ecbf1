#include "monitoring.h"

#include <stdlib.h>

enum { WORKERS = 256, ALERTS = 128, LOOPS = 64 };

json_t *sd_breaker_json(struct sd_breaker *breaker) {
    struct sd_breaker_figures figures;
    sd_breaker_figures(breaker, &figures);
    return json_pack("{s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "name", figures.name,
                     "state", sd_breaker_state_name(figures.state), "failures", figures.failures,
                     "failures_limit", figures.failures_limit, "open_ms", (json_int_t)figures.open_ms,
                     "limit_ms", (json_int_t)figures.limit_ms, "opened_at_ms",
                     (json_int_t)figures.opened_at_ms, "retry_in_ms", (json_int_t)figures.retry_in_ms,
                     "calls", (json_int_t)figures.calls, "failed", (json_int_t)figures.failed, "refused",
                     (json_int_t)figures.refused, "times_opened", (json_int_t)figures.times_opened);
}

json_t *sd_breakers_json(const struct sd_http_context *context) {
    json_t *list = json_array();
    int32_t users;
    for (int which = 0; which < SD_DEPENDENCY_COUNT; which++)
        json_array_append_new(
            list, sd_breaker_json(sd_dependencies_breaker(context->dependencies, (enum sd_dependency)which)));
    bool open = sd_dependencies_search_client(context->dependencies, &users);
    json_object_update_new(json_array_get(list, SD_SEARCH),
                           json_pack("{s:b, s:i}", "client_open", open, "client_users", users));
    return json_pack("{s:o}", "breakers", list);
}

static json_t *worker_json(const struct sd_worker_figures *worker) {
    return json_pack("{s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "name", worker->name,
                     "alive", worker->alive, "busy", worker->busy, "item", (json_int_t)worker->item,
                     "busy_ms", (json_int_t)worker->busy_ms, "heartbeat_at_ms",
                     (json_int_t)worker->heartbeat_at_ms, "done", (json_int_t)worker->done, "retried",
                     (json_int_t)worker->retried, "failed", (json_int_t)worker->failed, "heartbeats",
                     (json_int_t)worker->heartbeats, "heartbeats_failed",
                     (json_int_t)worker->heartbeats_failed, "replaced", (json_int_t)worker->replaced);
}

static json_t *queue_json(const struct sd_http_context *context) {
    struct sd_watch_figures figures;
    sd_watch_figures(context->watch, &figures);
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "queued", (json_int_t)figures.queue.queued, "claimed",
                     (json_int_t)figures.queue.claimed, "done", (json_int_t)figures.queue.done, "failed",
                     (json_int_t)figures.queue.failed, "oldest_age_ms",
                     (json_int_t)figures.queue.oldest_age_ms);
}

json_t *sd_workers_json(const struct sd_http_context *context) {
    struct sd_worker_figures *workers = calloc(WORKERS, sizeof *workers);
    size_t count = workers == NULL ? 0 : sd_workers_figures(context->workers, workers, WORKERS);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, worker_json(&workers[i]));
    free(workers);
    return json_pack("{s:o, s:o}", "workers", list, "queue", queue_json(context));
}

static json_t *alert_json(const struct sd_alert *alert) {
    return json_pack("{s:s, s:s, s:s, s:b, s:I, s:I}", "kind", sd_alert_kind_name(alert->kind), "subject",
                     alert->subject, "text", alert->text, "active", alert->cured_ms == 0, "started_ms",
                     (json_int_t)alert->started_ms, "cured_ms", (json_int_t)alert->cured_ms);
}

json_t *sd_alerts_json(const struct sd_http_context *context) {
    struct sd_alert *alerts = calloc(ALERTS, sizeof *alerts);
    size_t count = alerts == NULL ? 0 : sd_alerts_list(context->alerts, alerts, ALERTS);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, alert_json(&alerts[i]));
    free(alerts);
    return json_pack("{s:o}", "alerts", list);
}

static json_t *pool_json(struct sd_pool *pool) {
    struct sd_pool_figures figures;
    sd_pool_figures(pool, &figures);
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "name",
                     figures.name, "size", figures.size, "most", figures.most, "checked_in",
                     figures.checked_in, "checked_out", figures.checked_out, "overflow", figures.overflow,
                     "use_percent", sd_pool_use(&figures), "taken", (json_int_t)figures.taken, "waits",
                     (json_int_t)figures.waits, "timeouts", (json_int_t)figures.timeouts, "recycled",
                     (json_int_t)figures.recycled, "leaks", (json_int_t)figures.leaks, "refused",
                     (json_int_t)figures.refused);
}

json_t *sd_pools_json(const struct sd_http_context *context) {
    return json_pack("[o, o]", pool_json(context->main_pool), pool_json(context->sync_pool));
}

json_t *sd_loops_json(void) {
    struct sd_loop_figures loops[LOOPS];
    size_t count = sd_loops_figures(loops, LOOPS);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:i, s:i, s:I, s:I, s:I}", "name", loops[i].name, "thread",
                                        loops[i].thread, "heartbeat_ms", loops[i].heartbeat_ms, "beat_age_ms",
                                        (json_int_t)loops[i].beat_age_ms, "backlog",
                                        (json_int_t)loops[i].backlog, "rounds", (json_int_t)loops[i].rounds));
    return list;
}
