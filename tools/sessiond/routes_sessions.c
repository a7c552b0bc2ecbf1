/* A user's own sessions, and their operations. */
#include <stdlib.h>

#include "routes.h"

enum { MOST_LISTED = 1000 };

static const char *state_name(enum sd_session_state state) {
    static const char *const names[] = {"new", "connected", "lost", "stopped"};
    return names[state];
}

static json_t *session_json(const struct sd_session_view *view) {
    return json_pack("{s:I, s:s, s:s, s:i, s:s, s:I, s:I, s:i, s:i, s:I, s:I, s:I}", "id",
                     (json_int_t)view->id, "name", view->name, "host", view->host, "port", view->port,
                     "state", state_name(view->state), "created_ms", (json_int_t)view->created_ms,
                     "last_used_ms", (json_int_t)view->last_used_ms, "waiting", view->waiting, "running",
                     view->running, "completed", (json_int_t)view->completed, "failed",
                     (json_int_t)view->failed, "reconnects", (json_int_t)view->reconnects);
}

static enum MHD_Result list(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_session_view *views = calloc(MOST_LISTED, sizeof *views);
    json_t *sessions = json_array();
    size_t count =
        views == NULL ? 0 : sd_manager_list(context->manager, sd_request_user(request), views, MOST_LISTED);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(sessions, session_json(&views[i]));
    free(views);
    return sd_reply_json(request, 200, json_pack("{s:o}", "sessions", sessions));
}

static enum MHD_Result look(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_session_view view;
    struct sd_error error;
    if (!sd_manager_look(context->manager, sd_request_user(request), sd_request_id(request), &view, &error))
        return sd_reply_error(request, &error);
    return sd_reply_json(request, 200, session_json(&view));
}

static enum MHD_Result stop(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_error error;
    if (!sd_manager_stop(context->manager, sd_request_user(request), sd_request_id(request), &error))
        return sd_reply_error(request, &error);
    return sd_reply_json(request, 200,
                         json_pack("{s:I, s:b}", "id", (json_int_t)sd_request_id(request), "stopped", 1));
}

/* --- what becomes a task: the answer waits until it has a slot, or has none */

static void admitted(uint64_t id, const struct sd_error *error, void *pending) {
    (void)id;
    sd_request_answer(pending, error);
}

/* A session whose task was refused is nothing that anybody knows of. */
static enum MHD_Result opened(struct sd_request *request, const struct sd_http_context *context,
                              const struct sd_error *error) {
    const struct sd_made *made = sd_request_made(request);
    if (error != NULL) {
        sd_manager_stop(context->manager, sd_request_user(request), made->session, NULL);
        return sd_reply_error(request, error);
    }
    return sd_reply_json(
        request, 201,
        json_pack("{s:I, s:I}", "id", (json_int_t)made->session, "task", (json_int_t)made->task));
}

static bool read_opening(const struct sd_request *request, const struct sd_http_context *context,
                         struct sd_session_request *wanted, struct sd_error *error) {
    json_t *json = sd_request_json(request, error);
    bool well = json != NULL && sd_session_request_parse(context->config, json, wanted, error);
    json_decref(json);
    return well;
}

static enum MHD_Result open_session(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_session_request wanted;
    struct sd_error error;
    if (!read_opening(request, context, &wanted, &error))
        return sd_reply_error(request, &error);
    struct sd_pending *pending = sd_request_defer(request, opened, &error);
    if (pending == NULL)
        return sd_reply_error(request, &error);
    const struct sd_admission admission = {admitted, pending};
    struct sd_made *made = sd_request_made(request);
    if (sd_manager_open(context->manager, sd_request_user(request), &wanted, &admission, &made->session,
                        &made->task, &error))
        return sd_request_deferred(request);
    sd_request_undefer(pending);
    return sd_reply_error(request, &error);
}

static enum MHD_Result begun(struct sd_request *request, const struct sd_http_context *context,
                             const struct sd_error *error) {
    (void)context;
    if (error != NULL)
        return sd_reply_error(request, error);
    return sd_reply_json(request, 202,
                         json_pack("{s:I}", "task", (json_int_t)sd_request_made(request)->task));
}

static bool read_operation(const struct sd_request *request, const struct sd_http_context *context,
                           struct sd_operation *operation, struct sd_error *error) {
    json_t *json = sd_request_json(request, error);
    bool well = json != NULL && sd_operation_parse(json, operation, error);
    json_decref(json);
    return well && (operation->kind != SD_OP_SEARCH ||
                    sd_dependencies_check_query(context->dependencies, operation->text, error));
}

static enum MHD_Result operate(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_operation operation;
    struct sd_error error;
    if (!read_operation(request, context, &operation, &error))
        return sd_reply_error(request, &error);
    struct sd_pending *pending = sd_request_defer(request, begun, &error);
    if (pending == NULL)
        return sd_reply_error(request, &error);
    const struct sd_admission admission = {admitted, pending};
    if (sd_manager_operate(context->manager, sd_request_user(request), sd_request_id(request), &operation,
                           &admission, &sd_request_made(request)->task, &error))
        return sd_request_deferred(request);
    sd_request_undefer(pending);
    return sd_reply_error(request, &error);
}

static const struct sd_route routes[] = {
    {"POST", "/api/v1/sessions", SD_USER, open_session},
    {"GET", "/api/v1/sessions", SD_USER, list},
    {"GET", "/api/v1/sessions/{id}", SD_USER, look},
    {"DELETE", "/api/v1/sessions/{id}", SD_USER, stop},
    {"POST", "/api/v1/sessions/{id}/operations", SD_USER, operate},
};
const struct sd_route_group sd_routes_sessions = {routes, sizeof routes / sizeof routes[0]};
