/* What routes can ask: the service's parts, which live longer than the HTTP server.  No locks. */
#ifndef SD_HTTP_CONTEXT_H
#define SD_HTTP_CONTEXT_H

#include "alerts.h"
#include "auth.h"
#include "config.h"
#include "dependencies.h"
#include "events.h"
#include "limiter.h"
#include "manager.h"
#include "metrics.h"
#include "pool.h"
#include "tasks.h"
#include "watch.h"
#include "workers.h"

struct sd_http_server;

struct sd_http_context {
    const struct sd_config *config;
    struct sd_metrics *metrics;
    struct sd_pool *main_pool, *sync_pool;
    struct sd_tasks *tasks;
    struct sd_workers *workers;
    struct sd_dependencies *dependencies;
    struct sd_limiter *limiter;
    struct sd_manager *manager;
    struct sd_events *events;
    struct sd_watch *watch;
    struct sd_alerts *alerts;
    const struct sd_auth *auth;
    const struct sd_http_server *server; /* of sd_http_start */
};

#endif
