/* Periodic jobs: one thread with one loop, a timer each.  They begin with the service,
 * never at load time; each has its switch in the configuration.  A job that fails is
 * logged and comes again; one that is still running is not begun a second time.  What
 * may take long, or needs the database, is a task; the loop itself only looks at figures in
 * memory and at /proc, so that it tells of a task manager, or a database, that is stuck.
 * No locks of its own; its tasks take pool.slots (70). */
#ifndef SD_JOBS_H
#define SD_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "alerts.h"
#include "config.h"
#include "dependencies.h"
#include "error.h"
#include "events.h"
#include "limiter.h"
#include "pool.h"
#include "tasks.h"
#include "watch.h"

struct sd_job_world {
    const struct sd_config *config;
    struct sd_limiter *limiter;
    struct sd_dependencies *dependencies;
    struct sd_tasks *tasks;
    struct sd_events *events;
    struct sd_watch *watch;
    struct sd_alerts *alerts;
    struct sd_pool *pool; /* for what is old */
};

struct sd_jobs;
struct sd_jobs *sd_jobs_start(const struct sd_job_world *world, struct sd_error *error);
void sd_jobs_stop(struct sd_jobs *jobs); /* waits for the one that runs, joins, frees */

#endif
