/* A request as a route sees it, and its answer.  Lives on the HTTP loop's thread from the
 * first line to the end of the connection; no locks but where said.
 *
 * A route answers at once (sd_reply_*), or says sd_request_suspend and lets another thread
 * call sd_request_answer: the answer is copied, handed over under request.answer (80), and
 * the connection resumed.  A client that leaves meanwhile frees nothing the other thread
 * still has: a pending answer holds a reference. */
#ifndef SD_HTTP_REQUEST_H
#define SD_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <microhttpd.h>

#include "error.h"
#include "text.h"

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

struct sd_pending *sd_request_suspend(struct sd_request *request, struct sd_error *error);
/* Once, any thread, may be before the suspending route returned; frees `pending`. */
void sd_request_answer(struct sd_pending *pending, int status, const char *json, int retry_after_s);

#endif
