#include "service.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "schema.h"
#include "sql.h"
#include "threads.h"

/* ---- the parts, from the bottom up ---- */

static bool start_locks(struct sd_service *service, struct sd_error *error) {
    return sd_manager_locks_init(&service->locks, service->config, error);
}
static void stop_locks(struct sd_service *service) { sd_manager_locks_destroy(&service->locks); }

static bool start_metrics(struct sd_service *service, struct sd_error *error) {
    return (service->http.metrics = sd_metrics_create(&service->locks.metrics, error)) != NULL;
}
static void stop_metrics(struct sd_service *service) { sd_metrics_destroy(service->http.metrics); }

static bool start_pools(struct sd_service *service, struct sd_error *error) {
    const struct sd_config *config = service->config;
    struct sd_pool_settings main_settings, sync_settings;
    if (!sd_sql_set_up(error))
        return false;
    if (mkdir(config->data_dir, 0750) != 0 && errno != EEXIST)
        return sd_fail(error, 500, "data_dir", "%s: %s; choose another data_dir", config->data_dir,
                       strerror(errno));
    sd_pool_settings_main(&main_settings, config);
    sd_pool_settings_sync(&sync_settings, config);
    service->http.main_pool = sd_pool_create(&main_settings, config->data_dir, error);
    service->http.sync_pool =
        service->http.main_pool == NULL ? NULL : sd_pool_create(&sync_settings, config->data_dir, error);
    if (service->http.sync_pool != NULL)
        return true;
    sd_pool_destroy(service->http.main_pool);
    return false;
}
static void stop_pools(struct sd_service *service) {
    sd_pool_destroy(service->http.sync_pool);
    sd_pool_destroy(service->http.main_pool);
}

static bool start_database(struct sd_service *service, struct sd_error *error) {
    sqlite3 *handle = sd_pool_take(service->http.sync_pool, "start-up", NULL, error);
    if (handle == NULL)
        return false;
    bool well = sd_schema_prepare(handle, error) && sd_schema_seed(handle, service->config, error);
    sd_pool_give(service->http.sync_pool, handle);
    return well;
}
static void stop_database(struct sd_service *service) { (void)service; }

static bool start_auth(struct sd_service *service, struct sd_error *error) {
    service->auth = sd_auth_create(service->config, service->http.sync_pool, error);
    service->http.auth = service->auth;
    return service->auth != NULL;
}
static void stop_auth(struct sd_service *service) { sd_auth_destroy(service->auth); }

static bool start_limiter(struct sd_service *service, struct sd_error *error) {
    const struct sd_config *config = service->config;
    return (service->http.limiter = sd_limiter_create(config->rate_per_s, config->burst, error)) != NULL;
}
static void stop_limiter(struct sd_service *service) { sd_limiter_destroy(service->http.limiter); }

static bool start_dependencies(struct sd_service *service, struct sd_error *error) {
    service->http.dependencies = sd_dependencies_create(service->config, service->http.metrics, error);
    return service->http.dependencies != NULL;
}
static void stop_dependencies(struct sd_service *service) {
    sd_dependencies_destroy(service->http.dependencies);
}

static bool start_cpu(struct sd_service *service, struct sd_error *error) {
    return (service->cpu = sd_cpu_pool_create(service->config->cpu_threads, error)) != NULL;
}
static void stop_cpu(struct sd_service *service) { sd_cpu_pool_destroy(service->cpu); }

static bool start_events(struct sd_service *service, struct sd_error *error) {
    service->http.events = sd_events_create(service->config, service->http.metrics, error);
    return service->http.events != NULL;
}
static void stop_events(struct sd_service *service) { sd_events_destroy(service->http.events); }

static void task_ended(const struct sd_task_record *record, void *of) {
    struct sd_service *service = of;
    sd_metrics_task(service->http.metrics, sd_task_kind_name(record->kind), sd_task_state_name(record->state),
                    record->user, record->waited_us, record->took_us);
}

static bool start_tasks(struct sd_service *service, struct sd_error *error) {
    service->http.tasks =
        sd_tasks_create(service->config, &service->locks.global_task, task_ended, service, error);
    return service->http.tasks != NULL;
}
static void stop_tasks(struct sd_service *service) { sd_tasks_destroy(service->http.tasks); }

static bool start_workers(struct sd_service *service, struct sd_error *error) {
    service->http.workers =
        sd_workers_create(service->config, service->http.sync_pool, service->http.metrics, error);
    return service->http.workers != NULL;
}
static void stop_workers(struct sd_service *service) { sd_workers_destroy(service->http.workers); }

static bool start_manager(struct sd_service *service, struct sd_error *error) {
    service->world = (struct sd_session_world){.config = service->config,
                                               .locks = &service->locks,
                                               .metrics = service->http.metrics,
                                               .pool = service->http.main_pool,
                                               .dependencies = service->http.dependencies,
                                               .cpu = service->cpu,
                                               .events = service->http.events,
                                               .workers = service->http.workers};
    service->http.manager = sd_manager_create(&service->world, service->http.tasks, error);
    return service->http.manager != NULL;
}
static void stop_manager(struct sd_service *service) { sd_manager_destroy(service->http.manager); }

/* Only now: its handlers are the manager's. */
static bool start_queue(struct sd_service *service, struct sd_error *error) {
    if (sd_manager_handle_queue(service->http.workers, error) &&
        sd_workers_start(service->http.workers, error))
        return true;
    service->workers_left = sd_workers_stop(service->http.workers, service->config->shutdown_ms);
    return false;
}
static void stop_queue(struct sd_service *service) {
    service->workers_left = sd_workers_stop(service->http.workers, service->config->shutdown_ms);
}

static bool start_watch(struct sd_service *service, struct sd_error *error) {
    service->http.watch =
        sd_watch_create(service->config, service->http.main_pool, service->http.sync_pool, error);
    return service->http.watch != NULL;
}
static void stop_watch(struct sd_service *service) { sd_watch_destroy(service->http.watch); }

static bool start_alerts(struct sd_service *service, struct sd_error *error) {
    const struct sd_alert_sources sources = {service->config,
                                             {service->http.main_pool, service->http.sync_pool},
                                             service->http.tasks,
                                             service->http.metrics,
                                             service->http.dependencies,
                                             service->http.watch};
    return (service->http.alerts = sd_alerts_create(&sources, error)) != NULL;
}
static void stop_alerts(struct sd_service *service) { sd_alerts_destroy(service->http.alerts); }

static bool start_jobs(struct sd_service *service, struct sd_error *error) {
    const struct sd_http_context *http = &service->http;
    const struct sd_job_world world = {service->config, http->limiter, http->dependencies, http->tasks,
                                       http->events,    http->watch,   http->alerts,       http->main_pool};
    return (service->jobs = sd_jobs_start(&world, error)) != NULL;
}
static void stop_jobs(struct sd_service *service) { sd_jobs_stop(service->jobs); }

static bool start_http(struct sd_service *service, struct sd_error *error) {
    return (service->server = sd_http_start(&service->http, error)) != NULL;
}
static void stop_http(struct sd_service *service) { sd_http_stop(service->server); }

static const struct {
    const char *name;
    bool (*start)(struct sd_service *service, struct sd_error *error);
    void (*stop)(struct sd_service *service);
} parts[] = {
    {"locks", start_locks, stop_locks},
    {"metrics", start_metrics, stop_metrics},
    {"pools", start_pools, stop_pools},
    {"database", start_database, stop_database},
    {"auth", start_auth, stop_auth},
    {"limiter", start_limiter, stop_limiter},
    {"dependencies", start_dependencies, stop_dependencies},
    {"cpu pool", start_cpu, stop_cpu},
    {"events", start_events, stop_events},
    {"tasks", start_tasks, stop_tasks},
    {"workers", start_workers, stop_workers},
    {"manager", start_manager, stop_manager},
    {"queue", start_queue, stop_queue},
    {"watch", start_watch, stop_watch},
    {"alerts", start_alerts, stop_alerts},
    {"jobs", start_jobs, stop_jobs},
    {"http", start_http, stop_http},
};
enum { PARTS = sizeof parts / sizeof parts[0] };

/* ---- all of them ---- */

/* Those that a worker uses which did not end are left as they are. */
static void stop_parts(struct sd_service *service) {
    while (service->parts > 0 && service->workers_left == 0) {
        service->parts--;
        sd_log(SD_LOG_DEBUG, "stopping: %s", parts[service->parts].name);
        parts[service->parts].stop(service);
    }
}

bool sd_service_start(struct sd_service *service, const struct sd_config *config, struct sd_error *error) {
    *service = (struct sd_service){.config = config, .http.config = config};
    for (; service->parts < PARTS; service->parts++) {
        sd_log(SD_LOG_DEBUG, "starting: %s", parts[service->parts].name);
        if (parts[service->parts].start(service, error))
            continue;
        sd_log(SD_LOG_ERROR, "%s cannot be started: %s", parts[service->parts].name, error->text);
        stop_parts(service);
        return false;
    }
    sd_log(SD_LOG_INFO, "serving at %s:%d", config->listen, sd_http_port(service->server));
    return true;
}

unsigned sd_service_stop(struct sd_service *service) {
    int32_t ms = service->config->shutdown_ms;
    sd_log(SD_LOG_INFO, "stopping");
    sd_http_quiesce(service->server);
    sd_workers_quiesce(service->http.workers);
    sd_tasks_refuse(service->http.tasks);
    unsigned left = sd_tasks_finish(service->http.tasks, ms);
    if (left > 0) { /* what they use must stay; what was committed is on the disk */
        sd_log(SD_LOG_ERROR, "%u tasks did not end: the process ends with them", left);
        return left;
    }
    sd_events_close_all(service->http.events);
    stop_parts(service);
    if (service->workers_left > 0)
        sd_log(SD_LOG_ERROR, "%u workers did not end: what they use is left to them", service->workers_left);
    left = sd_threads_join_all(ms);
    sd_log(SD_LOG_INFO, "stopped");
    return left;
}
