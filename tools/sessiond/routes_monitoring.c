/* The administrator's: the dashboard and its parts. */
#include "dashboard.h"
#include "locks_json.h"
#include "monitoring.h"
#include "routes.h"

static enum MHD_Result reply(struct sd_request *request, json_t *json, const struct sd_error *error) {
    return json == NULL ? sd_reply_error(request, error) : sd_reply_json(request, 200, json);
}

static enum MHD_Result dashboard(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_error error;
    if (sd_request_wants_page(request))
        return sd_reply_page(request, sd_dashboard_html, sd_dashboard_html_length);
    return reply(request, sd_dashboard_json(context, &error), &error);
}

static enum MHD_Result breakers(struct sd_request *request, const struct sd_http_context *context) {
    return sd_reply_json(request, 200, sd_breakers_json(context));
}

static enum MHD_Result worker_pool(struct sd_request *request, const struct sd_http_context *context) {
    return sd_reply_json(request, 200, sd_workers_json(context));
}

static enum MHD_Result alerts(struct sd_request *request, const struct sd_http_context *context) {
    return sd_reply_json(request, 200, sd_alerts_json(context));
}

static enum MHD_Result locks(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_error error;
    (void)context;
    return reply(request, sd_locks_json(&error), &error);
}

static enum MHD_Result reset(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_breaker *breaker = sd_dependencies_find(context->dependencies, sd_request_name(request));
    struct sd_error error;
    if (breaker == NULL) {
        sd_fail(&error, 404, "not_found", "there is no circuit breaker of that name");
        return sd_reply_error(request, &error);
    }
    if (!sd_breaker_reset(breaker, &error))
        return sd_reply_error(request, &error);
    return sd_reply_json(request, 200, sd_breaker_json(breaker));
}

static const struct sd_route routes[] = {
    {"GET", "/api/v1/monitoring/dashboard", SD_ADMIN_OR_PAGE, dashboard},
    {"GET", "/api/v1/monitoring/circuit-breakers", SD_ADMIN, breakers},
    {"POST", "/api/v1/monitoring/circuit-breakers/{name}/reset", SD_ADMIN, reset},
    {"GET", "/api/v1/monitoring/worker-pool", SD_ADMIN, worker_pool},
    {"GET", "/api/v1/monitoring/alerts", SD_ADMIN, alerts},
    {"GET", "/api/v1/monitoring/locks", SD_ADMIN, locks},
};
const struct sd_route_group sd_routes_monitoring = {routes, sizeof routes / sizeof routes[0]};
