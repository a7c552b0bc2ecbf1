/* A circuit breaker: closed, open after a number of failures in a row, half-open after a
 * time with exactly one probe, whose outcome closes or opens it again.  While it is open
 * a call is refused at once: 503 circuit_open with Retry-After.  Takes breaker.lock (80),
 * never over the call itself. */
#ifndef SD_BREAKER_H
#define SD_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

enum sd_breaker_state { SD_BREAKER_CLOSED, SD_BREAKER_OPEN, SD_BREAKER_HALF_OPEN };

struct sd_breaker;

struct sd_breaker_figures {
    const char *name;
    enum sd_breaker_state state;
    int32_t failures, failures_limit; /* in a row */
    int64_t open_ms, limit_ms;        /* settings */
    int64_t opened_at_ms;             /* wall clock; 0: not open */
    int64_t retry_in_ms;              /* 0: at once */
    uint64_t calls, failed, refused, times_opened;
};

/* `name` is a literal. */
struct sd_breaker *sd_breaker_create(const char *name, int32_t failures, int32_t open_ms, int32_t limit_ms,
                                     struct sd_error *error);
void sd_breaker_destroy(struct sd_breaker *breaker);
/* true: the caller calls, and must say afterwards how it went (a ticket tells the probe
 * from calls that began before it opened, which count no more). */
bool sd_breaker_enter(struct sd_breaker *breaker, uint64_t *ticket, struct sd_error *error);
void sd_breaker_leave(struct sd_breaker *breaker, uint64_t ticket, bool succeeded);
/* The call ended without saying anything of the dependency (cancelled by its client). */
void sd_breaker_withdraw(struct sd_breaker *breaker, uint64_t ticket);
/* By hand: closed, no failures. */
bool sd_breaker_reset(struct sd_breaker *breaker, struct sd_error *error);
void sd_breaker_figures(struct sd_breaker *breaker, struct sd_breaker_figures *figures);
const char *sd_breaker_state_name(enum sd_breaker_state state); /* "closed", "open", "half-open" */

#endif
