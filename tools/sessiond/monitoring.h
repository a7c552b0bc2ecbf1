/* The administrator's figures as JSON, part by part.  Each is the caller's; NULL: out of
 * memory.  Takes what the figures' owners take, one after another. */
#ifndef SD_MONITORING_H
#define SD_MONITORING_H

#include <jansson.h>

#include "http_context.h"

json_t *sd_breaker_json(struct sd_breaker *breaker);
json_t *sd_breakers_json(const struct sd_http_context *context); /* {"breakers":[…]} */
json_t *sd_workers_json(const struct sd_http_context *context);  /* {"workers":[…],"queue":{…}} */
json_t *sd_alerts_json(const struct sd_http_context *context);   /* {"alerts":[…]} */
json_t *sd_pools_json(const struct sd_http_context *context);    /* [{…},{…}] */
json_t *sd_loops_json(void);                                     /* [{…}…] */

#endif
