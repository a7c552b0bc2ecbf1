/* The service: starts its parts from the bottom up and stops them from the top down.
 * Shutdown: stop accepting, a time to finish, cancel the rest, close the pools; nothing
 * that was committed is lost.  No locks of its own. */
#ifndef SD_SERVICE_H
#define SD_SERVICE_H

#include <stdbool.h>

#include "config.h"
#include "cpu_pool.h"
#include "error.h"
#include "http_context.h"
#include "http_server.h"
#include "jobs.h"
#include "lock_order.h"
#include "session.h"

struct sd_service {
    const struct sd_config *config;
    struct sd_manager_locks locks;
    struct sd_cpu_pool *cpu;
    struct sd_session_world world;
    struct sd_http_context http; /* all other parts */
    struct sd_auth *auth;
    struct sd_jobs *jobs;
    struct sd_http_server *server;
    int parts;             /* started, of the table in service.c */
    unsigned workers_left; /* that did not end: what they use stays */
};

/* The struct is the caller's and does not move.  false: what had started is stopped. */
bool sd_service_start(struct sd_service *service, const struct sd_config *config, struct sd_error *error);
/* Returns the number of threads that did not end, each logged by name: 0 is well. */
unsigned sd_service_stop(struct sd_service *service);

#endif
