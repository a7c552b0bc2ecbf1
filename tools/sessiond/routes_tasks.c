/* A user's own tasks: how far they are and what came of them. */
#include "routes.h"

static void add_error(struct sd_text *text, const struct sd_error *error) {
    sd_text_add(text, ",\"error\":{\"code\":");
    sd_text_json(text, error->code == NULL ? "" : error->code);
    if (error->field[0] != 0) {
        sd_text_add(text, ",\"field\":");
        sd_text_json(text, error->field);
    }
    sd_text_add(text, ",\"text\":");
    sd_text_json(text, error->text);
    sd_text_add(text, "}");
}

static void add_task(struct sd_text *text, const struct sd_task_view *view, const struct sd_text *result) {
    sd_text_format(text, "{\"id\":%llu,\"session\":%llu,\"name\":", (unsigned long long)view->id,
                   (unsigned long long)view->session);
    sd_text_json(text, view->name);
    sd_text_format(text, ",\"kind\":\"%s\",\"state\":\"%s\",\"unresponsive\":%s",
                   sd_task_kind_name(view->kind), sd_task_state_name(view->state),
                   view->unresponsive ? "true" : "false");
    sd_text_format(text, ",\"submitted_ms\":%lld,\"started_ms\":%lld,\"ended_ms\":%lld",
                   (long long)view->submitted_ms, (long long)view->started_ms, (long long)view->ended_ms);
    if (view->state > SD_TASK_COMPLETED)
        add_error(text, &view->error);
    if (result->length > 0) {
        sd_text_add(text, ",\"result\":");
        sd_text_add_bytes(text, result->bytes, result->length);
    }
    sd_text_add(text, "}");
}

static enum MHD_Result look(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_task_view view;
    struct sd_text text = {0}, result = {0};
    struct sd_error error;
    bool well = sd_tasks_look(context->tasks, sd_request_user(request), sd_request_id(request), &view,
                              &result, &error);
    if (well)
        add_task(&text, &view, &result);
    sd_text_free(&result);
    return well ? sd_reply_text(request, 200, "application/json", &text) : sd_reply_error(request, &error);
}

static enum MHD_Result cancel(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_error error;
    if (!sd_tasks_cancel(context->tasks, sd_request_user(request), sd_request_id(request), &error))
        return sd_reply_error(request, &error);
    return sd_reply_json(request, 202,
                         json_pack("{s:I, s:b}", "id", (json_int_t)sd_request_id(request), "asked", 1));
}

static const struct sd_route routes[] = {
    {"GET", "/api/v1/tasks/{id}", SD_USER, look},
    {"DELETE", "/api/v1/tasks/{id}", SD_USER, cancel},
};
const struct sd_route_group sd_routes_tasks = {routes, sizeof routes / sizeof routes[0]};
