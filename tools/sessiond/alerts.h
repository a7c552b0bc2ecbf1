/* Alerts, each with its start and its end ("cure"): they are raised and cured by looking
 * at the figures, logged at both, and the last 100 are kept.  Takes alerts.lock (80),
 * never while figures are asked for. */
#ifndef SD_ALERTS_H
#define SD_ALERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "dependencies.h"
#include "error.h"
#include "metrics.h"
#include "pool.h"
#include "tasks.h"
#include "watch.h"

enum sd_alert_kind {
    SD_ALERT_POOL,     /* use above alert_pool_percent; subject: the pool */
    SD_ALERT_DATABASE, /* database tasks ≥ alert_database_tasks */
    SD_ALERT_FAILURES, /* failure rate */
    SD_ALERT_BREAKER,  /* open; subject: its name */
    SD_ALERT_BACKLOG,
    SD_ALERT_HEARTBEAT, /* subject: the loop */
    SD_ALERT_MEMORY,
    SD_ALERT_UNRESPONSIVE, /* a task that does not answer; subject: its name */
    SD_ALERT_KINDS
};
const char *sd_alert_kind_name(enum sd_alert_kind kind);

struct sd_alert {
    enum sd_alert_kind kind;
    char subject[SD_WORD], text[160];
    int64_t started_ms, cured_ms; /* wall clock; 0: goes on */
};

struct sd_alert_sources {
    const struct sd_config *config;
    struct sd_pool *pools[2];
    struct sd_tasks *tasks;
    struct sd_metrics *metrics;
    struct sd_dependencies *dependencies;
    struct sd_watch *watch;
};

struct sd_alerts;
struct sd_alerts *sd_alerts_create(const struct sd_alert_sources *sources, struct sd_error *error);
void sd_alerts_destroy(struct sd_alerts *alerts);
void sd_alerts_look(struct sd_alerts *alerts); /* the job */
/* Those that go on first, then newest first. */
size_t sd_alerts_list(struct sd_alerts *alerts, struct sd_alert *list, size_t room);

#endif
