/* Answers.  Each queues one for the request; what they return is the route's result.
 * No locks. */
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
/* {"error":{"code":"…","field":"…","text":"…"}}, Retry-After, WWW-Authenticate of 401. */
enum MHD_Result sd_reply_error(struct sd_request *request, const struct sd_error *error);
/* A body of unknown length, as MHD's callback reader; `closed` when its connection ends. */
enum MHD_Result sd_reply_stream(struct sd_request *request, const char *type,
                                MHD_ContentReaderCallback reader, MHD_ContentReaderFreeCallback closed,
                                void *user);
/* The same error as JSON text, for sd_request_answer. */
void sd_error_json(struct sd_text *text, const struct sd_error *error);

#endif
