/* Cancellation that is asked for, not forced: a flag the work looks at, a descriptor it
 * can poll with others, and the SQLite handle in use, whose statement is interrupted.
 * Whoever owns the work owns the token; any thread may ask.  Takes cancel.handles (80). */
#ifndef SD_CANCEL_H
#define SD_CANCEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <lockgraph/lockgraph.h>
#include <sqlite3.h>

#include "error.h"

enum sd_cancel_reason { SD_CANCEL_NOT = 0, SD_CANCEL_ASKED, SD_CANCEL_TIME, SD_CANCEL_SHUTDOWN };

struct sd_cancel {
    _Atomic int reason;  /* enum sd_cancel_reason; the first one stays */
    int64_t deadline_ms; /* sd_now_ms; 0: none.  Set before the work begins */
    int wake;            /* eventfd, readable once cancelled; owned */
    sqlite3 *handle;     /* in use, and not closed meanwhile; under cancel.handles; NULL: none */
};

bool sd_cancel_init(struct sd_cancel *cancel, int64_t deadline_ms, struct sd_error *error);
void sd_cancel_destroy(struct sd_cancel *cancel);
/* Any thread. */
void sd_cancel_ask(struct sd_cancel *cancel, enum sd_cancel_reason reason);
/* The work: NULL is a token that is never cancelled.  Once the deadline has passed it is
 * (SD_CANCEL_TIME), whether or not anybody has asked yet. */
bool sd_cancelled(const struct sd_cancel *cancel);
enum sd_cancel_reason sd_cancel_reason(const struct sd_cancel *cancel);
/* true: go on.  Else the error says 503 cancelled, 504 time_limit or 503 shutting_down. */
bool sd_cancel_check(const struct sd_cancel *cancel, struct sd_error *error);
/* A descriptor that becomes readable; -1 for NULL.  Do not read it. */
int sd_cancel_fd(const struct sd_cancel *cancel);
/* What is left of the deadline and of `ms`, whichever is less. */
int32_t sd_cancel_left_ms(const struct sd_cancel *cancel, int32_t ms);
/* A pause that ends early when cancelled (false).  For back-off. */
bool sd_cancel_pause(const struct sd_cancel *cancel, int32_t ms);
/* By the pool: this handle is used for the work; NULL: no more. */
void sd_cancel_use(struct sd_cancel *cancel, sqlite3 *handle);

#endif
