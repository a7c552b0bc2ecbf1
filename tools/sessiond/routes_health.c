/* Open to all: whether it is well, and figures in sum. */
#include "dashboard.h"
#include "health.h"
#include "metrics_page.h"
#include "routes.h"

static enum MHD_Result health(struct sd_request *request, const struct sd_http_context *context) {
    bool well = true;
    json_t *json = sd_health_json(context, sd_request_closing(request), &well);
    return sd_reply_json(request, well ? 200 : 503, json);
}

static enum MHD_Result tasks(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_error error;
    json_t *json = sd_health_tasks_json(context, &error);
    return json == NULL ? sd_reply_error(request, &error) : sd_reply_json(request, 200, json);
}

static enum MHD_Result metrics(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_text text = {0};
    struct sd_error error;
    if (sd_metrics_page(context, &text, &error))
        return sd_reply_text(request, 200, "application/openmetrics-text; version=1.0.0; charset=utf-8",
                             &text);
    sd_text_free(&text);
    return sd_reply_error(request, &error);
}

static const struct sd_route routes[] = {
    {"GET", "/health", SD_OPEN, health},
    {"GET", "/health/tasks", SD_OPEN, tasks},
    {"GET", "/metrics", SD_OPEN, metrics},
};
const struct sd_route_group sd_routes_health = {routes, sizeof routes / sizeof routes[0]};
