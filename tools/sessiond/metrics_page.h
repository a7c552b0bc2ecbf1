/* The page /metrics: all figures in sum, in the OpenMetrics format; nothing of one user or
 * session.  Takes what the figures' owners take, one after another. */
#ifndef SD_METRICS_PAGE_H
#define SD_METRICS_PAGE_H

#include <stdbool.h>

#include "error.h"
#include "http_context.h"
#include "text.h"

bool sd_metrics_page(const struct sd_http_context *context, struct sd_text *text, struct sd_error *error);

#endif
