#include "alerts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "lock_order.h"
#include "log.h"
#include "text.h"
#include "timed.h"

enum { CONDITIONS = 64, KEPT = 100, TASKS = 512 };

static const char *const names[] = {"pool",    "database-tasks", "failures", "breaker",
                                    "backlog", "heartbeat",      "memory",   "unresponsive"};
const char *sd_alert_kind_name(enum sd_alert_kind kind) { return names[kind]; }

/* What is wrong now, as one look at the figures finds it. */
struct conditions {
    struct sd_alert all[CONDITIONS];
    size_t count;
};

/* What began and what is over since the last look. */
struct changes {
    struct sd_alert all[2 * CONDITIONS];
    size_t count;
};

struct sd_alerts {
    struct sd_alert_sources sources;
    struct sd_task_view *tasks; /* of the thread of the jobs alone */
    struct conditions now;      /* likewise */
    struct changes changes;     /* likewise */
    lg_mutex_t lock;
    struct conditions active; /* under lock, as what follows */
    struct sd_alert cured[KEPT];
    size_t cured_count; /* ever; the latest KEPT are there */
};

struct sd_alerts *sd_alerts_create(const struct sd_alert_sources *sources, struct sd_error *error) {
    struct sd_alerts *alerts = calloc(1, sizeof *alerts);
    struct sd_task_view *tasks = calloc(TASKS, sizeof *tasks);
    if (alerts == NULL || tasks == NULL || lg_mutex_init(&alerts->lock, "alerts.lock", SD_LEVEL_LEAF) != 0) {
        free(tasks);
        free(alerts);
        sd_fail_busy(error, "no_memory", 1, "no memory for alerts");
        return NULL;
    }
    alerts->sources = *sources;
    alerts->tasks = tasks;
    return alerts;
}

void sd_alerts_destroy(struct sd_alerts *alerts) {
    if (alerts == NULL)
        return;
    lg_mutex_destroy(&alerts->lock);
    free(alerts->tasks);
    free(alerts);
}

/* --- looking at figures */

__attribute__((format(printf, 4, 5))) static void add(struct conditions *now, enum sd_alert_kind kind,
                                                      const char *subject, const char *text, ...) {
    if (now->count == CONDITIONS)
        return;
    struct sd_alert *alert = &now->all[now->count++];
    va_list arguments;
    *alert = (struct sd_alert){.kind = kind};
    sd_copy(alert->subject, sizeof alert->subject, subject);
    va_start(arguments, text);
    vsnprintf(alert->text, sizeof alert->text, text, arguments);
    va_end(arguments);
}

static void look_at_pools(const struct sd_alert_sources *sources, struct conditions *now) {
    for (int i = 0; i < 2; i++) {
        struct sd_pool_figures figures;
        sd_pool_figures(sources->pools[i], &figures);
        int use = sd_pool_use(&figures);
        if (use > sources->config->alert_pool_percent)
            add(now, SD_ALERT_POOL, figures.name, "%d of %d handles (%d %%) are in use", figures.checked_out,
                figures.most, use);
    }
}

static void look_at_tasks(const struct sd_alert_sources *sources, struct conditions *now) {
    struct sd_task_figures figures;
    if (!sd_tasks_figures(sources->tasks, &figures, NULL))
        return;
    if (figures.active_database >= sources->config->alert_database_tasks)
        add(now, SD_ALERT_DATABASE, "", "%d of %d database tasks at once", figures.active_database,
            sources->config->database_tasks);
}

/* A success rate of few tasks says nothing: from ten on. */
static void look_at_failures(const struct sd_alert_sources *sources, struct conditions *now) {
    uint64_t ended = 0, failed = 0;
    if (!sd_metrics_failures(sources->metrics, sources->config->alert_failure_window_s, &ended, &failed,
                             NULL))
        return;
    if (ended >= 10 && failed * 100 > ended * (uint64_t)sources->config->alert_failure_percent)
        add(now, SD_ALERT_FAILURES, "", "%llu of %llu tasks failed within %d s", (unsigned long long)failed,
            (unsigned long long)ended, sources->config->alert_failure_window_s);
}

static void look_at_breakers(const struct sd_alert_sources *sources, struct conditions *now) {
    for (int which = 0; which < SD_DEPENDENCY_COUNT; which++) {
        struct sd_breaker_figures figures;
        sd_breaker_figures(sd_dependencies_breaker(sources->dependencies, (enum sd_dependency)which),
                           &figures);
        if (figures.state != SD_BREAKER_CLOSED)
            add(now, SD_ALERT_BREAKER, figures.name, "the circuit breaker is %s; openings so far: %llu",
                sd_breaker_state_name(figures.state), (unsigned long long)figures.times_opened);
    }
}

static void look_at_watch(const struct sd_alert_sources *sources, struct conditions *now) {
    struct sd_watch_figures figures;
    sd_watch_figures(sources->watch, &figures);
    if (figures.backlog > (size_t)sources->config->alert_backlog)
        add(now, SD_ALERT_BACKLOG, "", "%zu calls wait for a loop, or durable tasks for a worker",
            figures.backlog);
    if (figures.late_loop[0] != 0)
        add(now, SD_ALERT_HEARTBEAT, figures.late_loop, "no round for %lld ms", (long long)figures.late_ms);
    if (figures.rss_growth_percent > sources->config->alert_memory_percent)
        add(now, SD_ALERT_MEMORY, "", "resident memory grew by %d %% within %d s", figures.rss_growth_percent,
            sources->config->alert_memory_window_s);
}

static void look_for_unresponsive(struct sd_alerts *alerts, struct conditions *now) {
    size_t count = sd_tasks_list(alerts->sources.tasks, alerts->tasks, TASKS);
    for (size_t i = 0; i < count; i++)
        if (alerts->tasks[i].unresponsive)
            add(now, SD_ALERT_UNRESPONSIVE, alerts->tasks[i].name,
                "task %llu was cancelled and does not answer", (unsigned long long)alerts->tasks[i].id);
}

/* --- what began and what is over */

static struct sd_alert *find(struct conditions *conditions, const struct sd_alert *alert) {
    for (size_t i = 0; i < conditions->count; i++)
        if (conditions->all[i].kind == alert->kind && strcmp(conditions->all[i].subject, alert->subject) == 0)
            return &conditions->all[i];
    return NULL;
}

/* Under the lock, as the next one. */
static void cure(struct sd_alerts *alerts, size_t at, int64_t wall_ms) {
    struct sd_alert *alert = &alerts->active.all[at];
    alert->cured_ms = wall_ms;
    alerts->cured[alerts->cured_count++ % KEPT] = *alert;
    alerts->changes.all[alerts->changes.count++] = *alert;
    *alert = alerts->active.all[--alerts->active.count];
}

static void raise_alert(struct sd_alerts *alerts, const struct sd_alert *alert, int64_t wall_ms) {
    struct sd_alert *active = find(&alerts->active, alert);
    if (active != NULL) {
        sd_copy(active->text, sizeof active->text, alert->text); /* as it is now */
        return;
    }
    if (alerts->active.count == CONDITIONS)
        return;
    active = &alerts->active.all[alerts->active.count++];
    *active = *alert;
    active->started_ms = wall_ms;
    alerts->changes.all[alerts->changes.count++] = *active;
}

static void compare(struct sd_alerts *alerts, struct conditions *now) {
    int64_t wall_ms = sd_wall_ms();
    alerts->changes.count = 0;
    if (!sd_lock(&alerts->lock, NULL))
        return;
    for (size_t i = alerts->active.count; i-- > 0;)
        if (find(now, &alerts->active.all[i]) == NULL)
            cure(alerts, i, wall_ms);
    for (size_t i = 0; i < now->count; i++)
        raise_alert(alerts, &now->all[i], wall_ms);
    sd_unlock(&alerts->lock);
}

/* With nothing held: a log may be slow. */
static void tell(const struct changes *changes) {
    for (size_t i = 0; i < changes->count; i++) {
        const struct sd_alert *alert = &changes->all[i];
        bool over = alert->cured_ms != 0;
        sd_log(over ? SD_LOG_INFO : SD_LOG_WARNING, "%s: %s %s: %s", over ? "alert is over" : "alert",
               sd_alert_kind_name(alert->kind), alert->subject, alert->text);
    }
}

void sd_alerts_look(struct sd_alerts *alerts) {
    struct conditions *now = &alerts->now;
    now->count = 0;
    look_at_pools(&alerts->sources, now);
    look_at_tasks(&alerts->sources, now);
    look_at_failures(&alerts->sources, now);
    look_at_breakers(&alerts->sources, now);
    look_at_watch(&alerts->sources, now);
    look_for_unresponsive(alerts, now);
    compare(alerts, now);
    tell(&alerts->changes);
}

size_t sd_alerts_list(struct sd_alerts *alerts, struct sd_alert *list, size_t room) {
    size_t count = 0;
    if (!sd_lock(&alerts->lock, NULL))
        return 0;
    for (size_t i = 0; i < alerts->active.count && count < room; i++)
        list[count++] = alerts->active.all[i];
    size_t kept = alerts->cured_count < KEPT ? alerts->cured_count : KEPT;
    for (size_t i = 1; i <= kept && count < room; i++)
        list[count++] = alerts->cured[(alerts->cured_count - i) % KEPT];
    sd_unlock(&alerts->lock);
    return count;
}
