#include "http_request.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "http_exchange.h"
#include "http_wake.h"

/* Shared by the request and who answers it; the last one frees it. */
struct sd_pending {
    struct sd_wake wake;
    _Atomic int references;
    struct sd_request *request; /* the HTTP thread's; NULL: over */
    sd_request_finish *finish;
    struct sd_error error; /* of who answers, until it arrives; status 0: none */
};

const char *sd_request_path(const struct sd_request *request) { return request->path; }
int64_t sd_request_user(const struct sd_request *request) { return request->user; }
uint64_t sd_request_id(const struct sd_request *request) { return request->match.id; }
const char *sd_request_name(const struct sd_request *request) { return request->match.name; }
bool sd_request_closing(const struct sd_request *request) {
    return request->all->quiesced || request->all->closing;
}
struct sd_made *sd_request_made(struct sd_request *request) {
    return &request->made;
}

const char *sd_request_header(const struct sd_request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *sd_request_query(const struct sd_request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool sd_request_wants_page(const struct sd_request *request) {
    const char *accepted = sd_request_header(request, MHD_HTTP_HEADER_ACCEPT);
    return accepted != NULL && strstr(accepted, "text/html") != NULL;
}

json_t *sd_request_json(const struct sd_request *request, struct sd_error *error) {
    json_error_t wrong;
    const char *bytes = request->body.bytes == NULL ? "" : request->body.bytes;
    json_t *json = json_loadb(bytes, request->body.length, JSON_REJECT_DUPLICATES, &wrong);
    if (json == NULL) {
        sd_fail(error, 400, "bad_json", "line %d, column %d: %s", wrong.line, wrong.column, wrong.text);
        return NULL;
    }
    if (json_is_object(json))
        return json;
    json_decref(json);
    sd_fail(error, 400, "bad_json", "give a JSON object");
    return NULL;
}

static void drop(struct sd_pending *pending) {
    if (atomic_fetch_sub(&pending->references, 1) == 1)
        free(pending);
}

static void arrive(struct sd_wake *wake) {
    struct sd_pending *pending = (struct sd_pending *)wake; /* its first member */
    if (pending->request != NULL) {
        pending->request->arrived = true;
        sd_exchange_resume(pending->request);
    }
    drop(pending);
}

struct sd_pending *sd_request_defer(struct sd_request *request, sd_request_finish *finish,
                                    struct sd_error *error) {
    struct sd_pending *pending = calloc(1, sizeof *pending);
    if (pending == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for a request");
        return NULL;
    }
    pending->wake.arrive = arrive;
    atomic_init(&pending->references, 2);
    pending->request = request;
    pending->finish = finish;
    request->pending = pending;
    return pending;
}

enum MHD_Result sd_request_deferred(struct sd_request *request) {
    sd_wake_run(); /* it may be there already */
    if (request->arrived)
        return sd_exchange_finish(request);
    sd_exchange_suspend(request);
    return MHD_YES;
}

void sd_request_undefer(struct sd_pending *pending) {
    sd_exchange_forget(pending->request);
    drop(pending);
}

void sd_request_answer(struct sd_pending *pending, const struct sd_error *error) {
    if (error != NULL)
        pending->error = *error;
    if (!sd_wake_put(&pending->wake))
        drop(pending);
}

void sd_exchange_suspend(struct sd_request *request) {
    struct sd_exchanges *all = request->all;
    if (request->suspended)
        return;
    request->suspended = true;
    request->before = NULL;
    request->next = all->suspended;
    if (request->next != NULL)
        request->next->before = request;
    all->suspended = request;
    MHD_suspend_connection(request->connection);
}

bool sd_exchange_unlist(struct sd_request *request) {
    if (!request->suspended)
        return false;
    request->suspended = false;
    if (request->next != NULL)
        request->next->before = request->before;
    if (request->before != NULL)
        request->before->next = request->next;
    else
        request->all->suspended = request->next;
    return true;
}

void sd_exchange_resume(struct sd_request *request) {
    if (!sd_exchange_unlist(request))
        return;
    request->all->resumed = true;
    MHD_resume_connection(request->connection);
}

enum MHD_Result sd_exchange_finish(struct sd_request *request) {
    struct sd_pending *pending = request->pending;
    struct sd_error closing;
    const struct sd_error *error = &closing;
    if (!request->arrived)
        sd_fail_busy(&closing, "shutting_down", 1, "the service is shutting down");
    else
        error = pending->error.status == 0 ? NULL : &pending->error;
    enum MHD_Result result = pending->finish(request, request->all->context, error);
    sd_exchange_forget(request);
    return result;
}

void sd_exchange_forget(struct sd_request *request) {
    struct sd_pending *pending = request->pending;
    request->pending = NULL;
    request->arrived = false;
    if (pending == NULL)
        return;
    pending->request = NULL;
    drop(pending);
}
