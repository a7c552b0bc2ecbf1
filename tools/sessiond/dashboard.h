/* The dashboard: one JSON of all figures, and the page that shows it (dashboard.html,
 * embedded by CMake).  Takes what the figures' owners take, one after another. */
#ifndef SD_DASHBOARD_H
#define SD_DASHBOARD_H

#include <stddef.h>

#include <jansson.h>

#include "error.h"
#include "http_context.h"

/* The caller's; NULL and the error where a lock was not to be had. */
json_t *sd_dashboard_json(const struct sd_http_context *context, struct sd_error *error);
extern const unsigned char sd_dashboard_html[];
extern const size_t sd_dashboard_html_length;

#endif
