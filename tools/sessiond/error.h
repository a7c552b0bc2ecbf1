/* What went wrong, in the form in which a client is told: an HTTP status, a word for
 * programs, the field that is to blame (or "") and a sentence with the cure.
 *
 * The caller owns the struct; every function that may fail takes one last and returns
 * false (or NULL), NULL: nobody wants to know.  No locks, no allocation. */
#ifndef SD_ERROR_H
#define SD_ERROR_H

#include <stdbool.h>

struct sd_error {
    int status;        /* 400, 401, 404, 409, 413, 429, 500, 501, 503, 504 */
    int retry_after_s; /* of 429 and 503; 0: no such header */
    const char *code;  /* a literal: "lock_timeout", "queue_full", "bad_field" … */
    char field[64];
    char text[256];
};

/* Always false, so that `return sd_fail(error, …)` reads well. */
bool sd_fail(struct sd_error *error, int status, const char *code, const char *text, ...)
    __attribute__((format(printf, 4, 5)));
/* A client's mistake in one field of its request: 400 bad_field. */
bool sd_fail_field(struct sd_error *error, const char *field, const char *text, ...)
    __attribute__((format(printf, 3, 4)));
/* 503 with Retry-After. */
bool sd_fail_busy(struct sd_error *error, const char *code, int retry_after_s, const char *text, ...)
    __attribute__((format(printf, 4, 5)));

#endif
