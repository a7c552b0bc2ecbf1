/* A small HTTP/1.1 client for replaced dependencies: one connection a request, plain
 * http, bodies up to 1 MiB.  Owns nothing between calls; no locks. */
#ifndef SD_HTTP_CLIENT_H
#define SD_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "cancel.h"
#include "error.h"
#include "text.h"

/* `url`: http://host[:port][/path], no user, no query.  The body goes to `answer`.  false: 503 unreachable,
 * 504 time_limit, 503 bad_answer (a status that is not 2xx among them), or cancelled. */
bool sd_http_post(const char *url, const char *json, int32_t limit_ms, const struct sd_cancel *cancel,
                  struct sd_text *answer, struct sd_error *error);

#endif
