#include "metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "log.h"
#include "openmetrics.h"
#include "timed.h"

enum {
    LABELS = 96,
    ENTRIES = 64, /* the last one is "other" */
    INDEX = 128,  /* a power of two, greater than ENTRIES */
    USERS = 2048, /* a power of two, greater than SD_MOST_USERS */
    STEP_MS = 10000,
    STEPS = 61 /* of 10 s: ten minutes and the one that is under way */
};

struct entry {
    char labels[LABELS];
    uint64_t count;
    struct sd_histogram *times; /* of summaries */
};

struct family {
    size_t count;
    struct entry entries[ENTRIES];
    uint8_t index[INDEX]; /* by hash: 1 + number of the entry; 0: free */
};

struct user {
    int64_t id;
    struct sd_user_figures figures;
};

struct step {
    int64_t number; /* sd_now_ms / STEP_MS */
    uint64_t ended, failed;
};

/* All under lock, which is manager.metrics. */
struct sd_metrics {
    lg_mutex_t *lock;
    struct family families[SD_SERIES_COUNT];
    struct user *users[USERS]; /* by id; open addressing */
    size_t user_count;
    struct step steps[STEPS];
    _Atomic uint64_t dropped; /* not under lock: it was not to be had */
};

static const struct {
    enum sd_family type;
    const char *name, *help, *other;
} about[SD_SERIES_COUNT] = {
    [SD_SERIES_REQUESTS] = {SD_COUNTER, "http_requests", "Answered requests.", "route=\"other\""},
    [SD_SERIES_REQUEST_TIME] = {SD_SUMMARY, "http_request_seconds", "Time to the answer.", "route=\"other\""},
    [SD_SERIES_TASKS] = {SD_COUNTER, "tasks", "Ended tasks.", "kind=\"other\""},
    [SD_SERIES_TASK_TIME] = {SD_SUMMARY, "task_seconds", "Time that tasks ran.", "kind=\"other\""},
    [SD_SERIES_TASK_WAIT] = {SD_SUMMARY, "task_wait_seconds", "From submission to start.", "kind=\"other\""},
    [SD_SERIES_OPERATIONS] = {SD_COUNTER, "operations", "Ended operations of sessions.",
                              "operation=\"other\""},
    [SD_SERIES_QUEUE_TASKS] = {SD_COUNTER, "queue_tasks", "Durable tasks by outcome.", "outcome=\"other\""},
    [SD_SERIES_DEPENDENCY] = {SD_COUNTER, "dependency_calls", "Calls of dependencies.",
                              "dependency=\"other\""},
    [SD_SERIES_EVENTS] = {SD_COUNTER, "events", "Events to subscribers.", "what=\"other\""},
    [SD_SERIES_LIMITED] = {SD_COUNTER, "rate_limited", "Requests answered with 429.", "what=\"other\""},
    [SD_SERIES_HEARTBEATS] = {SD_COUNTER, "worker_heartbeats", "Heartbeats of workers.", "outcome=\"other\""},
    [SD_SERIES_RECONNECTS] = {SD_COUNTER, "reconnects", "Connections that were made again.",
                              "what=\"other\""},
};

struct sd_metrics *sd_metrics_create(lg_mutex_t *lock, struct sd_error *error) {
    struct sd_metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics == NULL)
        sd_fail_busy(error, "no_memory", 1, "no memory for metrics");
    else
        metrics->lock = lock;
    return metrics;
}

void sd_metrics_destroy(struct sd_metrics *metrics) {
    if (metrics == NULL)
        return;
    for (int series = 0; series < SD_SERIES_COUNT; series++)
        for (size_t i = 0; i < metrics->families[series].count; i++)
            free(metrics->families[series].entries[i].times);
    for (size_t i = 0; i < USERS; i++)
        free(metrics->users[i]);
    free(metrics);
}

/* ---- series ---- */

static unsigned hash(const char *labels) {
    unsigned value = 2166136261u; /* FNV-1a */
    for (; *labels != 0; labels++)
        value = (value ^ (unsigned char)*labels) * 16777619u;
    return value;
}

static struct entry *add_entry(struct family *family, enum sd_series series, const char *labels,
                               unsigned at) {
    struct entry *entry = &family->entries[family->count];
    if (about[series].type == SD_SUMMARY && (entry->times = calloc(1, sizeof *entry->times)) == NULL)
        return NULL;
    sd_copy(entry->labels, sizeof entry->labels, labels);
    family->index[at] = (uint8_t)++family->count;
    return entry;
}

static struct entry *find_entry(struct sd_metrics *metrics, enum sd_series series, const char *labels) {
    struct family *family = &metrics->families[series];
    unsigned at = hash(labels) & (INDEX - 1);
    for (; family->index[at] != 0; at = (at + 1) & (INDEX - 1))
        if (strcmp(family->entries[family->index[at] - 1].labels, labels) == 0)
            return &family->entries[family->index[at] - 1];
    const char *other = about[series].other;
    if (family->count == ENTRIES)
        return &family->entries[ENTRIES - 1];
    if (family->count == ENTRIES - 1 || strlen(labels) >= LABELS)
        return strcmp(labels, other) == 0 ? add_entry(family, series, other, at)
                                          : find_entry(metrics, series, other);
    return add_entry(family, series, labels, at);
}

static void count(struct sd_metrics *metrics, enum sd_series series, const char *labels, uint64_t more) {
    struct entry *entry = find_entry(metrics, series, labels);
    if (entry != NULL)
        entry->count += more;
}

static void time_one(struct sd_metrics *metrics, enum sd_series series, const char *labels, int64_t us) {
    struct entry *entry = find_entry(metrics, series, labels);
    if (entry != NULL)
        sd_histogram_add(entry->times, us);
}

static bool begin(struct sd_metrics *metrics) {
    bool had = sd_lock(metrics->lock, NULL);
    if (!had)
        atomic_fetch_add(&metrics->dropped, 1);
    return had;
}

void sd_metrics_count(struct sd_metrics *metrics, enum sd_series series, const char *labels, uint64_t more) {
    if (!begin(metrics))
        return;
    count(metrics, series, labels, more);
    sd_unlock(metrics->lock);
}

void sd_metrics_time(struct sd_metrics *metrics, enum sd_series series, const char *labels, int64_t us) {
    if (!begin(metrics))
        return;
    time_one(metrics, series, labels, us);
    sd_unlock(metrics->lock);
}

/* ---- users ---- */

static struct user **find_user(struct sd_metrics *metrics, int64_t id) {
    size_t at = (size_t)id & (USERS - 1);
    while (metrics->users[at] != NULL && metrics->users[at]->id != id)
        at = (at + 1) & (USERS - 1);
    return &metrics->users[at];
}

/* NULL: nobody's, or no memory. */
static struct sd_user_figures *figures_of(struct sd_metrics *metrics, int64_t id) {
    if (id == 0)
        return NULL;
    struct user **place = find_user(metrics, id);
    if (*place == NULL && metrics->user_count <= SD_MOST_USERS &&
        (*place = calloc(1, sizeof **place)) != NULL) {
        (*place)->id = id;
        metrics->user_count++;
    }
    return *place == NULL ? NULL : &(*place)->figures;
}

bool sd_metrics_user(struct sd_metrics *metrics, int64_t user, struct sd_user_figures *figures,
                     struct sd_error *error) {
    *figures = (struct sd_user_figures){0};
    if (!sd_lock(metrics->lock, error))
        return false;
    const struct user *found = *find_user(metrics, user);
    if (found != NULL)
        *figures = found->figures;
    sd_unlock(metrics->lock);
    return true;
}

/* ---- requests and tasks ---- */

static void add_request(struct sd_user_figures *figures, int status, int64_t us) {
    figures->requests++;
    figures->refused += status == 429;
    figures->client_errors += status >= 400 && status < 500;
    figures->server_errors += status >= 500;
    sd_histogram_add(&figures->request_time, us);
}

void sd_metrics_request(struct sd_metrics *metrics, const char *route, int status, int64_t user, int64_t us) {
    char by_status[LABELS], by_route[LABELS];
    snprintf(by_route, sizeof by_route, "route=\"%s\"", route);
    snprintf(by_status, sizeof by_status, "route=\"%s\",status=\"%d\"", route, status);
    if (!begin(metrics))
        return;
    count(metrics, SD_SERIES_REQUESTS, by_status, 1);
    time_one(metrics, SD_SERIES_REQUEST_TIME, by_route, us);
    struct sd_user_figures *figures = figures_of(metrics, user);
    if (figures != NULL)
        add_request(figures, status, us);
    sd_unlock(metrics->lock);
}

static bool is_failure(const char *outcome) {
    return strcmp(outcome, "failed") == 0 || strcmp(outcome, "timed_out") == 0;
}

static void add_to_window(struct sd_metrics *metrics, bool failed) {
    int64_t number = sd_now_ms() / STEP_MS;
    struct step *step = &metrics->steps[number % STEPS];
    if (step->number != number)
        *step = (struct step){number, 0, 0};
    step->ended++;
    step->failed += failed;
}

void sd_metrics_task(struct sd_metrics *metrics, const char *kind, const char *outcome, int64_t user,
                     int64_t waited_us, int64_t us) {
    char by_outcome[LABELS], by_kind[LABELS];
    bool refused = strcmp(outcome, "refused") == 0;
    snprintf(by_kind, sizeof by_kind, "kind=\"%s\"", kind);
    snprintf(by_outcome, sizeof by_outcome, "kind=\"%s\",outcome=\"%s\"", kind, outcome);
    if (!begin(metrics))
        return;
    count(metrics, SD_SERIES_TASKS, by_outcome, 1);
    time_one(metrics, SD_SERIES_TASK_WAIT, by_kind, waited_us);
    if (!refused) {
        time_one(metrics, SD_SERIES_TASK_TIME, by_kind, us);
        add_to_window(metrics, is_failure(outcome));
    }
    struct sd_user_figures *figures = figures_of(metrics, user);
    if (figures != NULL) {
        figures->tasks++;
        figures->tasks_failed += is_failure(outcome);
        if (!refused)
            sd_histogram_add(&figures->task_time, us);
    }
    sd_unlock(metrics->lock);
}

bool sd_metrics_failures(struct sd_metrics *metrics, int32_t window_s, uint64_t *ended, uint64_t *failed,
                         struct sd_error *error) {
    int64_t now = sd_now_ms() / STEP_MS, first = now - window_s * 1000 / STEP_MS;
    *ended = *failed = 0;
    if (!sd_lock(metrics->lock, error))
        return false;
    for (int i = 0; i < STEPS; i++) {
        const struct step *step = &metrics->steps[i];
        if (step->number > first && step->number <= now) {
            *ended += step->ended;
            *failed += step->failed;
        }
    }
    sd_unlock(metrics->lock);
    return true;
}

/* ---- the page ---- */

/* A copy, so that nothing is written under the lock. */
struct copy {
    size_t count;
    struct {
        char labels[LABELS];
        uint64_t count;
        struct sd_histogram times;
    } entries[ENTRIES];
};

static bool copy_family(struct sd_metrics *metrics, enum sd_series series, struct copy *copy,
                        struct sd_error *error) {
    const struct family *family = &metrics->families[series];
    if (!sd_lock(metrics->lock, error))
        return false;
    copy->count = family->count;
    for (size_t i = 0; i < family->count; i++) {
        const struct entry *entry = &family->entries[i];
        memcpy(copy->entries[i].labels, entry->labels, LABELS);
        copy->entries[i].count = entry->count;
        if (entry->times != NULL)
            copy->entries[i].times = *entry->times;
    }
    sd_unlock(metrics->lock);
    return true;
}

static void write_family(struct sd_text *text, enum sd_series series, const struct copy *copy) {
    enum sd_family type = about[series].type;
    const char *name = about[series].name;
    sd_openmetrics_family(text, type, name, about[series].help);
    for (size_t i = 0; i < copy->count; i++) {
        if (type == SD_SUMMARY)
            sd_openmetrics_summary(text, name, copy->entries[i].labels, &copy->entries[i].times);
        else
            sd_openmetrics_sample(text, type, name, copy->entries[i].labels, (double)copy->entries[i].count);
    }
}

bool sd_metrics_write(struct sd_metrics *metrics, struct sd_text *text, struct sd_error *error) {
    struct copy *copy = malloc(sizeof *copy);
    bool well = copy != NULL || sd_fail_busy(error, "no_memory", 1, "no memory for a copy of the metrics");
    for (int series = 0; series < SD_SERIES_COUNT && well; series++) {
        well = copy_family(metrics, (enum sd_series)series, copy, error);
        if (well)
            write_family(text, (enum sd_series)series, copy);
    }
    free(copy);
    sd_openmetrics_family(text, SD_COUNTER, "metrics_dropped", "Values whose lock was not to be had.");
    sd_openmetrics_sample(text, SD_COUNTER, "metrics_dropped", "", (double)atomic_load(&metrics->dropped));
    return well;
}
