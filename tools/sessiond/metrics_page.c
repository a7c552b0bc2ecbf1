#include "metrics_page.h"

#include <stdio.h>
#include <stdlib.h>

#include "http_server.h"
#include "openmetrics.h"

enum { WORKERS = 256 };

static void one(struct sd_text *text, enum sd_family type, const char *name, const char *help, double value) {
    sd_openmetrics_family(text, type, name, help);
    sd_openmetrics_sample(text, type, name, "", value);
}

static void kind_samples(struct sd_text *text, const struct sd_task_figures *figures, const char *name,
                         int32_t (*of)(const struct sd_task_kind_figures *)) {
    char labels[64];
    for (int kind = 0; kind < SD_TASK_KINDS; kind++) {
        snprintf(labels, sizeof labels, "kind=\"%s\"", sd_task_kind_name((enum sd_task_kind)kind));
        sd_openmetrics_sample(text, SD_GAUGE, name, labels, of(&figures->kinds[kind]));
    }
}

static int32_t active_of(const struct sd_task_kind_figures *kind) { return kind->active; }
static int32_t limit_of(const struct sd_task_kind_figures *kind) { return kind->limit; }
static int32_t unresponsive_of(const struct sd_task_kind_figures *kind) { return kind->unresponsive; }

static bool write_tasks(const struct sd_http_context *context, struct sd_text *text, struct sd_error *error) {
    struct sd_task_figures figures;
    if (!sd_tasks_figures(context->tasks, &figures, error))
        return false;
    sd_openmetrics_family(text, SD_GAUGE, "tasks_active", "Tasks that have a slot.");
    kind_samples(text, &figures, "tasks_active", active_of);
    sd_openmetrics_family(text, SD_GAUGE, "tasks_limit", "Slots for tasks.");
    kind_samples(text, &figures, "tasks_limit", limit_of);
    sd_openmetrics_family(text, SD_GAUGE, "tasks_unresponsive", "Cancelled tasks that do not answer.");
    kind_samples(text, &figures, "tasks_unresponsive", unresponsive_of);
    one(text, SD_GAUGE, "tasks_queued", "Tasks that wait for a slot.", figures.queued);
    one(text, SD_GAUGE, "task_threads", "Threads of tasks.", figures.threads);
    return true;
}

/* A family at a time, as the format wants it: which figure of a pool it is. */
static const struct {
    enum sd_family type;
    const char *name, *help;
    size_t offset;
    bool wide;
} pool_families[] = {
    {SD_GAUGE, "pool_checked_in", "Database handles that are kept and free.",
     offsetof(struct sd_pool_figures, checked_in), false},
    {SD_GAUGE, "pool_checked_out", "Database handles in use.", offsetof(struct sd_pool_figures, checked_out),
     false},
    {SD_GAUGE, "pool_overflow", "Of these beyond what is kept.", offsetof(struct sd_pool_figures, overflow),
     false},
    {SD_GAUGE, "pool_most", "Most handles at once.", offsetof(struct sd_pool_figures, most), false},
    {SD_COUNTER, "pool_taken", "Handles taken.", offsetof(struct sd_pool_figures, taken), true},
    {SD_COUNTER, "pool_waits", "Of these after a wait.", offsetof(struct sd_pool_figures, waits), true},
    {SD_COUNTER, "pool_timeouts", "Waits that were in vain.", offsetof(struct sd_pool_figures, timeouts),
     true},
    {SD_COUNTER, "pool_leaks", "Handles out for too long.", offsetof(struct sd_pool_figures, leaks), true},
};

static double pool_value(const struct sd_pool_figures *figures, size_t family) {
    const char *at = (const char *)figures + pool_families[family].offset;
    return pool_families[family].wide ? (double)*(const int64_t *)at : *(const int32_t *)at;
}

static void write_pools(const struct sd_http_context *context, struct sd_text *text) {
    struct sd_pool_figures figures[2];
    char labels[64];
    sd_pool_figures(context->main_pool, &figures[0]);
    sd_pool_figures(context->sync_pool, &figures[1]);
    for (size_t family = 0; family < sizeof pool_families / sizeof pool_families[0]; family++) {
        sd_openmetrics_family(text, pool_families[family].type, pool_families[family].name,
                              pool_families[family].help);
        for (int i = 0; i < 2; i++) {
            snprintf(labels, sizeof labels, "pool=\"%s\"", figures[i].name);
            sd_openmetrics_sample(text, pool_families[family].type, pool_families[family].name, labels,
                                  pool_value(&figures[i], family));
        }
    }
}

static void write_breakers(const struct sd_http_context *context, struct sd_text *text) {
    char labels[64];
    sd_openmetrics_family(text, SD_GAUGE, "breaker_state", "0 closed, 1 open, 2 half-open.");
    for (int which = 0; which < SD_DEPENDENCY_COUNT; which++) {
        struct sd_breaker_figures figures;
        sd_breaker_figures(sd_dependencies_breaker(context->dependencies, (enum sd_dependency)which),
                           &figures);
        snprintf(labels, sizeof labels, "name=\"%s\"", figures.name);
        sd_openmetrics_sample(text, SD_GAUGE, "breaker_state", labels, figures.state);
    }
}

static void write_workers(const struct sd_http_context *context, struct sd_text *text) {
    struct sd_worker_figures *workers = calloc(WORKERS, sizeof *workers);
    size_t count = workers == NULL ? 0 : sd_workers_figures(context->workers, workers, WORKERS);
    int alive = 0, busy = 0, replaced = 0;
    for (size_t i = 0; i < count; i++) {
        alive += workers[i].alive;
        busy += workers[i].busy;
        replaced += (int)workers[i].replaced;
    }
    free(workers);
    one(text, SD_GAUGE, "workers_alive", "Workers of the durable queue.", alive);
    one(text, SD_GAUGE, "workers_busy", "Of these with a task.", busy);
    one(text, SD_COUNTER, "workers_replaced", "Workers that died or overran.", replaced);
}

static void write_service(const struct sd_http_context *context, struct sd_text *text) {
    struct sd_watch_figures watch;
    struct sd_event_figures events;
    struct sd_http_figures http;
    sd_watch_figures(context->watch, &watch);
    sd_events_figures(context->events, &events);
    sd_http_figures(context->server, &http);
    one(text, SD_GAUGE, "sessions", "Sessions there are.", (double)sd_manager_count(context->manager));
    one(text, SD_GAUGE, "subscribers", "Subscribers to events.", events.subscribers);
    one(text, SD_GAUGE, "subscriber_queued_bytes", "Bytes that they have not read.",
        (double)events.queued_bytes);
    one(text, SD_GAUGE, "http_connections", "Connections open.", http.connections);
    one(text, SD_COUNTER, "http_accepted", "Connections accepted.", (double)http.accepted);
    one(text, SD_GAUGE, "queue_waiting", "Durable tasks that wait.", (double)watch.queue.queued);
    one(text, SD_GAUGE, "loop_backlog", "Most calls that wait for one loop, or the durable queue.",
        (double)watch.backlog);
    one(text, SD_GAUGE, "resident_memory_bytes", "At the last look.", (double)watch.rss_bytes);
    one(text, SD_GAUGE, "virtual_memory_bytes", "At the last look.", (double)watch.vms_bytes);
    one(text, SD_GAUGE, "up_seconds", "Since the start.", (double)watch.up_ms / 1000);
}

bool sd_metrics_page(const struct sd_http_context *context, struct sd_text *text, struct sd_error *error) {
    if (!sd_metrics_write(context->metrics, text, error) || !write_tasks(context, text, error))
        return false;
    write_pools(context, text);
    write_breakers(context, text);
    write_workers(context, text);
    write_service(context, text);
    sd_openmetrics_end(text);
    return true;
}
