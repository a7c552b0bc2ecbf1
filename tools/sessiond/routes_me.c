/* What the service knows of the user who asks, and of nobody else. */
#include "routes.h"

static json_t *times(const struct sd_histogram *histogram) {
    return json_pack("{s:I, s:I, s:I, s:I}", "count", (json_int_t)histogram->count, "p50_us",
                     (json_int_t)sd_histogram_quantile(histogram, 50), "p95_us",
                     (json_int_t)sd_histogram_quantile(histogram, 95), "p99_us",
                     (json_int_t)sd_histogram_quantile(histogram, 99));
}

static enum MHD_Result metrics(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_user_figures figures;
    struct sd_error error;
    if (!sd_metrics_user(context->metrics, sd_request_user(request), &figures, &error))
        return sd_reply_error(request, &error);
    return sd_reply_json(request, 200,
                         json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "requests",
                                   (json_int_t)figures.requests, "rate_limited", (json_int_t)figures.refused,
                                   "client_errors", (json_int_t)figures.client_errors, "server_errors",
                                   (json_int_t)figures.server_errors, "tasks", (json_int_t)figures.tasks,
                                   "tasks_failed", (json_int_t)figures.tasks_failed, "request_time",
                                   times(&figures.request_time), "task_time", times(&figures.task_time)));
}

static const struct sd_route routes[] = {{"GET", "/api/v1/me/metrics", SD_USER, metrics}};
const struct sd_route_group sd_routes_me = {routes, sizeof routes / sizeof routes[0]};
