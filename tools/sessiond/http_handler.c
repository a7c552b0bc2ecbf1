/* A request from its first line to its answer, as libmicrohttpd hands it over. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "http_exchange.h"

enum { LEAST_DISCARDED = 1 << 20 }; /* of a body that is too long, so that its sender hears of it */

/* --- its beginning */

static enum MHD_Result add_length(void *of, enum MHD_ValueKind kind, const char *name, const char *value) {
    size_t *length = of;
    (void)kind;
    *length += strlen(name) + (value == NULL ? 0 : strlen(value)) + 4; /* ": " and the end of the line */
    return MHD_YES;
}

static bool check_headers(struct sd_request *request, size_t url_length) {
    size_t length = url_length;
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, add_length, &length);
    if (length <= (size_t)request->all->context->config->header_limit)
        return true;
    sd_fail(&request->refused, 431, "headers_too_large", "give at most %d bytes of headers",
            request->all->context->config->header_limit);
    sd_copy(request->refused.field, sizeof request->refused.field, "headers");
    return false;
}

static bool check_access(struct sd_request *request) {
    const struct sd_http_context *context = request->all->context;
    const char *header = sd_request_header(request, MHD_HTTP_HEADER_AUTHORIZATION);
    switch (request->match.route->access) {
    case SD_USER:
        return sd_auth_user(context->auth, header, &request->user, &request->refused) &&
               sd_limiter_admit(context->limiter, request->user, &request->refused);
    case SD_ADMIN:
        return sd_auth_admin(context->auth, header, &request->refused);
    case SD_ADMIN_OR_PAGE:
        return sd_request_wants_page(request) || sd_auth_admin(context->auth, header, &request->refused);
    default:
        return true;
    }
}

static void too_long(struct sd_exchanges *all, struct sd_request *request) {
    const struct sd_config *config = all->context->config;
    if (request->too_long)
        return;
    request->too_long = true;
    atomic_fetch_add(&all->too_large, 1);
    sd_text_free(&request->body);
    if (request->refused.status != 0)
        return;
    sd_fail(&request->refused, 413, "body_too_large", "give at most %d bytes", config->body_limit);
    sd_copy(request->refused.field, sizeof request->refused.field, "body");
}

static size_t most_discarded(const struct sd_exchanges *all) {
    size_t most = (size_t)all->context->config->body_limit * 16;
    return most < LEAST_DISCARDED ? LEAST_DISCARDED : most;
}

/* Who says how much comes is told at once, if that is beyond all bearing. */
static enum MHD_Result check_length(struct sd_exchanges *all, struct sd_request *request) {
    const char *header = sd_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    int64_t length = 0;
    if (header == NULL || !sd_parse_number(header, 0, INT64_MAX, &length) ||
        length <= all->context->config->body_limit)
        return MHD_YES;
    too_long(all, request);
    return (size_t)length > most_discarded(all) ? sd_reply_error(request, &request->refused) : MHD_YES;
}

static struct sd_request *begin(struct sd_exchanges *all, struct MHD_Connection *connection, const char *url,
                                const char *method) {
    struct sd_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->connection = connection;
    request->all = all;
    request->method = method;
    request->began_us = sd_now_us();
    sd_copy(request->path, sizeof request->path, url);
    atomic_fetch_add(&all->requests, 1);
    all->unanswered++;
    if (all->closing)
        sd_fail_busy(&request->refused, "shutting_down", 1, "the service is shutting down");
    else if (check_headers(request, strlen(url)) &&
             sd_route_find(method, request->path, &request->match, &request->refused))
        check_access(request);
    return request;
}

/* --- its body and its answer */

static enum MHD_Result take_body(struct sd_exchanges *all, struct sd_request *request, const char *bytes,
                                 size_t *length) {
    size_t limit = (size_t)all->context->config->body_limit;
    if (request->body.length + *length > limit)
        too_long(all, request);
    if (request->refused.status == 0)
        sd_text_add_bytes(&request->body, bytes, *length);
    else
        request->discarded += *length;
    *length = 0;
    return request->discarded > most_discarded(all) ? MHD_NO : MHD_YES;
}

static enum MHD_Result answer(struct sd_request *request) {
    if (request->pending != NULL && (request->arrived || request->all->closing))
        return sd_exchange_finish(request);
    if (request->pending != NULL) {
        sd_exchange_suspend(request);
        return MHD_YES;
    }
    if (request->body.failed)
        sd_fail_busy(&request->refused, "no_memory", 1, "no memory for the body");
    if (request->refused.status != 0)
        return sd_reply_error(request, &request->refused);
    return request->match.route->answer(request, request->all->context);
}

enum MHD_Result sd_exchange_handle(void *of, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *bytes, size_t *length,
                                   void **at) {
    struct sd_exchanges *all = of;
    struct sd_request *request = *at;
    (void)version;
    if (request == NULL) {
        *at = request = begin(all, connection, url, method);
        return request == NULL ? MHD_NO : check_length(all, request);
    }
    if (*length > 0)
        return take_body(all, request, bytes, length);
    return request->replied ? MHD_YES : answer(request);
}

void sd_exchange_completed(void *of, struct MHD_Connection *connection, void **at,
                           enum MHD_RequestTerminationCode how) {
    struct sd_exchanges *all = of;
    struct sd_request *request = *at;
    (void)connection;
    if (how == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED)
        atomic_fetch_add(&all->timeouts, 1);
    if (request == NULL)
        return;
    *at = NULL;
    sd_exchange_unlist(request);
    sd_exchange_forget(request);
    if (request->stream != NULL)
        sd_stream_over(request->stream);
    all->unanswered--;
    sd_text_free(&request->body);
    free(request);
}
