#include "cancel.h"

#include <poll.h>

#include "clock.h"
#include "lock_order.h"
#include "timed.h"
#include "wakeup.h"

enum { OPERATIONS_BETWEEN_LOOKS = 1000 };

/* The handles of all tokens, each for some instructions: a lock for each token would live
 * no longer than a task. */
static lg_mutex_t handles = LG_MUTEX_INITIALIZER("cancel.handles", SD_LEVEL_LEAF);

bool sd_cancel_init(struct sd_cancel *cancel, int64_t deadline_ms, struct sd_error *error) {
    atomic_init(&cancel->reason, SD_CANCEL_NOT);
    cancel->deadline_ms = deadline_ms;
    cancel->handle = NULL;
    return sd_wakeup_open(&cancel->wake, error);
}

void sd_cancel_destroy(struct sd_cancel *cancel) { sd_wakeup_close(&cancel->wake); }

void sd_cancel_ask(struct sd_cancel *cancel, enum sd_cancel_reason reason) {
    int none = SD_CANCEL_NOT;
    if (!atomic_compare_exchange_strong(&cancel->reason, &none, (int)reason))
        return;
    sd_wakeup_set(cancel->wake);
    if (!sd_lock(&handles, NULL))
        return;
    if (cancel->handle != NULL)
        sqlite3_interrupt(cancel->handle);
    sd_unlock(&handles);
}

enum sd_cancel_reason sd_cancel_reason(const struct sd_cancel *cancel) {
    if (cancel == NULL)
        return SD_CANCEL_NOT;
    int reason = atomic_load_explicit(&cancel->reason, memory_order_acquire);
    if (reason == SD_CANCEL_NOT && cancel->deadline_ms != 0 && sd_left_ms(cancel->deadline_ms) == 0)
        reason = SD_CANCEL_TIME;
    return (enum sd_cancel_reason)reason;
}

bool sd_cancelled(const struct sd_cancel *cancel) { return sd_cancel_reason(cancel) != SD_CANCEL_NOT; }

bool sd_cancel_check(const struct sd_cancel *cancel, struct sd_error *error) {
    switch (sd_cancel_reason(cancel)) {
    case SD_CANCEL_NOT:
        return true;
    case SD_CANCEL_TIME:
        return sd_fail(error, 504, "time_limit", "the time limit passed");
    case SD_CANCEL_SHUTDOWN:
        return sd_fail_busy(error, "shutting_down", 5, "the service is stopping");
    default:
        return sd_fail(error, 503, "cancelled", "it was cancelled");
    }
}

int sd_cancel_fd(const struct sd_cancel *cancel) { return cancel == NULL ? -1 : cancel->wake; }

int32_t sd_cancel_left_ms(const struct sd_cancel *cancel, int32_t ms) {
    if (cancel == NULL || cancel->deadline_ms == 0)
        return ms;
    int32_t left = sd_left_ms(cancel->deadline_ms);
    return left < ms ? left : ms;
}

bool sd_cancel_pause(const struct sd_cancel *cancel, int32_t ms) {
    struct pollfd wake = {sd_cancel_fd(cancel), POLLIN, 0};
    int64_t until = sd_now_ms() + ms;
    int32_t left;
    while (!sd_cancelled(cancel) && (left = sd_left_ms(until)) > 0)
        poll(&wake, 1, left);
    return !sd_cancelled(cancel);
}

/* An interruption between two statements is lost; this looks while one runs. */
static int look(void *of) { return sd_cancelled(of); }

void sd_cancel_use(struct sd_cancel *cancel, sqlite3 *handle) {
    if (cancel == NULL)
        return;
    if (handle != NULL)
        sqlite3_progress_handler(handle, OPERATIONS_BETWEEN_LOOKS, look, cancel);
    /* It must be had: else a closed handle could be interrupted.  It is held for an instant. */
    sd_lock_surely(&handles);
    sqlite3 *before = cancel->handle;
    cancel->handle = handle;
    sd_unlock(&handles);
    if (handle == NULL && before != NULL)
        sqlite3_progress_handler(before, 0, NULL, NULL);
}
