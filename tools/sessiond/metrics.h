/* What was counted and timed, under manager.metrics (11), held for some instructions and
 * never over I/O.  Everything may record; nothing waits: where the lock is not had in
 * time the value is dropped and counted.  Components that have figures of their own
 * (pools, tasks, breakers …) are asked by the page, not told from here. */
#ifndef SD_METRICS_H
#define SD_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "histogram.h"
#include "lock_order.h"
#include "text.h"

struct sd_metrics;

/* A label's value is one of few, such as a route or the name of a task; after 64 in a
 * family it is "other". */
enum sd_series {
    SD_SERIES_REQUESTS,     /* counter by route="…",status="…" */
    SD_SERIES_REQUEST_TIME, /* summary by route */
    SD_SERIES_TASKS,        /* counter by kind="…",outcome="…" */
    SD_SERIES_TASK_TIME,    /* summary by kind */
    SD_SERIES_TASK_WAIT,    /* summary by kind: from submission to start */
    SD_SERIES_OPERATIONS,   /* counter by operation="…",outcome="…" */
    SD_SERIES_QUEUE_TASKS,  /* counter by outcome: done, retried, failed */
    SD_SERIES_DEPENDENCY,   /* counter by dependency="…",outcome="…" (ok, failed, refused, degraded) */
    SD_SERIES_EVENTS,       /* counter by what="sent|dropped|refused|pings" */
    SD_SERIES_LIMITED,      /* counter: 429 */
    SD_SERIES_HEARTBEATS,   /* counter by outcome */
    SD_SERIES_RECONNECTS,   /* counter */
    SD_SERIES_COUNT
};

/* The lock is the manager's; it lives longer. */
struct sd_metrics *sd_metrics_create(lg_mutex_t *lock, struct sd_error *error);
void sd_metrics_destroy(struct sd_metrics *metrics);
void sd_metrics_count(struct sd_metrics *metrics, enum sd_series series, const char *labels, uint64_t more);
void sd_metrics_time(struct sd_metrics *metrics, enum sd_series series, const char *labels, int64_t us);

/* One answered request: all its series and the user's own at one acquisition.  `user`
 * 0: nobody's. */
void sd_metrics_request(struct sd_metrics *metrics, const char *route, int status, int64_t user, int64_t us);
/* One ended task, likewise.  `kind` and `outcome` are words. */
void sd_metrics_task(struct sd_metrics *metrics, const char *kind, const char *outcome, int64_t user,
                     int64_t waited_us, int64_t us);

/* What one user may see of themselves. */
struct sd_user_figures {
    uint64_t requests, refused, client_errors, server_errors, tasks, tasks_failed;
    struct sd_histogram request_time, task_time;
};
bool sd_metrics_user(struct sd_metrics *metrics, int64_t user, struct sd_user_figures *figures,
                     struct sd_error *error);
/* Tasks ended within the last `window_s` (at most 600), in minutes' steps of 10 s. */
bool sd_metrics_failures(struct sd_metrics *metrics, int32_t window_s, uint64_t *ended, uint64_t *failed,
                         struct sd_error *error);
/* Its families, aggregates only; without the end. */
bool sd_metrics_write(struct sd_metrics *metrics, struct sd_text *text, struct sd_error *error);

#endif
