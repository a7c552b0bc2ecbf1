#include "dashboard.h"

#include "clock.h"
#include "health.h"
#include "http_server.h"
#include "locks_json.h"
#include "monitoring.h"

static json_t *service_json(const struct sd_http_context *context) {
    struct sd_watch_figures figures;
    sd_watch_figures(context->watch, &figures);
    return json_pack("{s:I, s:I, s:I, s:I, s:i, s:I, s:s, s:I, s:I, s:I}", "now_ms", (json_int_t)sd_wall_ms(),
                     "up_ms", (json_int_t)figures.up_ms, "rss_bytes", (json_int_t)figures.rss_bytes,
                     "vms_bytes", (json_int_t)figures.vms_bytes, "rss_growth_percent",
                     figures.rss_growth_percent, "backlog", (json_int_t)figures.backlog, "late_loop",
                     figures.late_loop, "late_ms", (json_int_t)figures.late_ms, "sessions",
                     (json_int_t)sd_manager_count(context->manager), "rate_buckets",
                     (json_int_t)sd_limiter_buckets(context->limiter));
}

static json_t *events_json(const struct sd_http_context *context) {
    struct sd_event_figures figures;
    sd_events_figures(context->events, &figures);
    return json_pack("{s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "subscribers", figures.subscribers, "limit",
                     figures.limit, "published", (json_int_t)figures.published, "delivered",
                     (json_int_t)figures.delivered, "dropped_slow", (json_int_t)figures.dropped_slow,
                     "refused", (json_int_t)figures.refused, "pings", (json_int_t)figures.pings,
                     "queued_bytes", (json_int_t)figures.queued_bytes);
}

static json_t *http_json(const struct sd_http_context *context) {
    struct sd_http_figures figures;
    sd_http_figures(context->server, &figures);
    return json_pack("{s:i, s:I, s:I, s:I, s:I}", "connections", figures.connections, "accepted",
                     (json_int_t)figures.accepted, "requests", (json_int_t)figures.requests, "too_large",
                     (json_int_t)figures.too_large, "timeouts", (json_int_t)figures.timeouts);
}

/* Errors say what users asked for: the administrator's alone. */
static void add_errors(const struct sd_http_context *context, json_t *tasks) {
    struct sd_task_figures figures;
    json_t *errors = json_object();
    if (sd_tasks_figures(context->tasks, &figures, NULL))
        for (int kind = 0; kind < SD_TASK_KINDS; kind++) {
            json_t *list = json_array();
            for (int i = 0; i < 5 && figures.kinds[kind].top_errors[i].count > 0; i++)
                json_array_append_new(list, json_pack("{s:s, s:I}", "text",
                                                      figures.kinds[kind].top_errors[i].text, "count",
                                                      (json_int_t)figures.kinds[kind].top_errors[i].count));
            json_object_set_new(errors, sd_task_kind_name((enum sd_task_kind)kind), list);
        }
    json_object_set_new(tasks, "top_errors", errors);
}

json_t *sd_dashboard_json(const struct sd_http_context *context, struct sd_error *error) {
    bool well;
    json_t *tasks = sd_health_tasks_json(context, error);
    if (tasks == NULL)
        return NULL;
    add_errors(context, tasks);
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "health", sd_health_json(context, false, &well),
                  "service", service_json(context), "http", http_json(context), "tasks", tasks, "pools",
                  sd_pools_json(context), "loops", sd_loops_json(), "events", events_json(context));
    if (json == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for the dashboard");
        return NULL;
    }
    json_object_update_new(json, sd_breakers_json(context));
    json_object_update_new(json, sd_workers_json(context));
    json_object_update_new(json, sd_alerts_json(context));
    json_t *locks = sd_locks_json(NULL);
    json_object_set_new(json, "locks", locks == NULL ? json_null() : locks);
    return json;
}
