/* A request as a route sees it, and its answer.  Lives on the HTTP loop's thread from the
 * first line to the end of the answer; no locks but http.wakes (80), where said.
 *
 * A route answers at once (sd_reply_*), or defers: it gets a `pending`, hands that to
 * another thread and returns sd_request_deferred.  Once sd_request_answer was called, the
 * route's `finish` is, on the HTTP thread, and answers.  A client that leaves meanwhile
 * frees nothing the other thread still has: both have a reference. */
#ifndef SD_HTTP_REQUEST_H
#define SD_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <microhttpd.h>

#include "error.h"
#include "text.h"

struct sd_http_context;
struct sd_request;
struct sd_pending;

const char *sd_request_path(const struct sd_request *request);
const char *sd_request_header(const struct sd_request *request, const char *name); /* NULL: none */
const char *sd_request_query(const struct sd_request *request, const char *name);  /* NULL: none */
int64_t sd_request_user(const struct sd_request *request);                         /* of routes for users */
/* The number where the route has {id}. */
uint64_t sd_request_id(const struct sd_request *request);
/* Where it has {name}. */
const char *sd_request_name(const struct sd_request *request);
/* The body as a JSON object: 400 bad_json with line and column.  The caller's (json_decref). */
json_t *sd_request_json(const struct sd_request *request, struct sd_error *error);

/* A browser asks: it accepts HTML. */
bool sd_request_wants_page(const struct sd_request *request);
/* The service is about to end. */
bool sd_request_closing(const struct sd_request *request);

/* What a route made and its `finish` tells. */
struct sd_made {
    uint64_t session, task;
};
struct sd_made *sd_request_made(struct sd_request *request);

/* `error` NULL: as it should be.  Answers, as a route does. */
typedef enum MHD_Result sd_request_finish(struct sd_request *request, const struct sd_http_context *context,
                                          const struct sd_error *error);
/* NULL: 503.  Then either sd_request_answer comes, or sd_request_undefer. */
struct sd_pending *sd_request_defer(struct sd_request *request, sd_request_finish *finish,
                                    struct sd_error *error);
/* What the route returns then. */
enum MHD_Result sd_request_deferred(struct sd_request *request);
/* Nobody else has it: the route answers after all. */
void sd_request_undefer(struct sd_pending *pending);
/* Once, any thread, may be before the route returned; gives `pending` back.  The error is
 * copied.  Takes http.wakes (80). */
void sd_request_answer(struct sd_pending *pending, const struct sd_error *error);

#endif
