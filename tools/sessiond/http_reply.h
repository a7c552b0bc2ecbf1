/* Answers.  Each queues one for the request, counts and times it; what they return is the
 * route's result.  Takes manager.metrics (11). */
#ifndef SD_HTTP_REPLY_H
#define SD_HTTP_REPLY_H

#include <stddef.h>

#include <jansson.h>
#include <microhttpd.h>

#include "error.h"
#include "http_request.h"
#include "text.h"

enum MHD_Result sd_reply_text(struct sd_request *request, int status, const char *type,
                              struct sd_text *text);                                 /* takes the text */
enum MHD_Result sd_reply_json(struct sd_request *request, int status, json_t *json); /* takes it */
/* {"error":{"code":"…","field":"…","text":"…"}}, Retry-After, WWW-Authenticate of 401,
 * Allow of 405. */
enum MHD_Result sd_reply_error(struct sd_request *request, const struct sd_error *error);
/* Bytes that live as long as the program: a page for a browser, which may only run what
 * is in it and ask where it came from. */
enum MHD_Result sd_reply_page(struct sd_request *request, const void *bytes, size_t length);
/* Any response, as the others do it; takes it. */
enum MHD_Result sd_reply_response(struct sd_request *request, int status, const char *type,
                                  struct MHD_Response *response);
/* The same error as JSON text. */
void sd_error_json(struct sd_text *text, const struct sd_error *error);

#endif
