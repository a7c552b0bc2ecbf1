/* Whether the service is well, from figures that are to be had at once: what /health and
 * the supervisor ask for.  Takes what the figures' owners take, one after another. */
#ifndef SD_HEALTH_H
#define SD_HEALTH_H

#include <stdbool.h>

#include <jansson.h>

#include "error.h"
#include "http_context.h"

/* {"status":"ok"|"failing","checks":{…}}; `well` is set.  `closing`: it is shutting down. */
json_t *sd_health_json(const struct sd_http_context *context, bool closing, bool *well);
/* Tasks in sum and by name, with ages; nothing of users.  NULL and the error. */
json_t *sd_health_tasks_json(const struct sd_http_context *context, struct sd_error *error);
/* The figures of one kind of task: outcomes, times, success rate. */
json_t *sd_task_kind_json(const struct sd_task_kind_figures *kind);

#endif
