#include "http_reply.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "http_exchange.h"

static const char type_of_json[] = "application/json";
static const char page_policy[] =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

static void count(struct sd_request *request, int status) {
    const struct sd_route *route = request->match.route;
    sd_metrics_request(request->all->context->metrics, route == NULL ? "none" : route->path, status,
                       request->user, sd_now_us() - request->began_us);
}

enum MHD_Result sd_reply_response(struct sd_request *request, int status, const char *type,
                                  struct MHD_Response *response) {
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    enum MHD_Result result = MHD_queue_response(request->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    request->replied = true;
    count(request, status);
    return result;
}

static struct MHD_Response *response_of(struct sd_text *text) {
    size_t length = text->length;
    char *bytes = sd_text_take(text);
    if (bytes == NULL)
        return NULL;
    struct MHD_Response *response = MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(bytes);
    return response;
}

enum MHD_Result sd_reply_text(struct sd_request *request, int status, const char *type,
                              struct sd_text *text) {
    return sd_reply_response(request, status, type, response_of(text));
}

enum MHD_Result sd_reply_json(struct sd_request *request, int status, json_t *json) {
    char *bytes = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    struct sd_text text = {0};
    json_decref(json);
    if (bytes == NULL)
        return MHD_NO; /* out of memory: the connection is closed */
    sd_text_add(&text, bytes);
    free(bytes);
    return sd_reply_text(request, status, type_of_json, &text);
}

void sd_error_json(struct sd_text *text, const struct sd_error *error) {
    sd_text_add(text, "{\"error\":{\"code\":");
    sd_text_json(text, error->code);
    if (error->field[0] != 0) {
        sd_text_add(text, ",\"field\":");
        sd_text_json(text, error->field);
    }
    sd_text_add(text, ",\"text\":");
    sd_text_json(text, error->text);
    sd_text_add(text, "}}");
}

static void add_headers(const struct sd_request *request, const struct sd_error *error,
                        struct MHD_Response *response) {
    char value[64];
    if (error->retry_after_s > 0) {
        snprintf(value, sizeof value, "%d", error->retry_after_s);
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, value);
    }
    if (error->status == 401)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"sessiond\"");
    if (error->status == 405) {
        sd_route_methods(request->path, value, sizeof value);
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, value);
    }
}

enum MHD_Result sd_reply_error(struct sd_request *request, const struct sd_error *error) {
    struct sd_text text = {0};
    sd_error_json(&text, error);
    struct MHD_Response *response = response_of(&text);
    if (response != NULL)
        add_headers(request, error, response);
    return sd_reply_response(request, error->status, type_of_json, response);
}

enum MHD_Result sd_reply_page(struct sd_request *request, const void *bytes, size_t length) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, (void *)(uintptr_t)bytes, MHD_RESPMEM_PERSISTENT);
    if (response != NULL) {
        MHD_add_response_header(response, "Content-Security-Policy", page_policy);
        MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
        MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept");
    }
    return sd_reply_response(request, 200, "text/html; charset=utf-8", response);
}
