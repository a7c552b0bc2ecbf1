#include "breaker.h"

#include <stdlib.h>

#include "clock.h"
#include "lock_order.h"
#include "log.h"
#include "timed.h"

struct sd_breaker {
    const char *name;
    int32_t failures_limit;
    int64_t open_ms, limit_ms;
    lg_mutex_t lock; /* all that follows */
    enum sd_breaker_state state;
    uint64_t phase; /* a ticket is the phase it was given in: of another one it counts no more */
    bool probing;   /* half-open: the one call is under way */
    int32_t failures;
    int64_t opened_ms, opened_wall_ms;
    uint64_t calls, failed, refused, times_opened;
};

const char *sd_breaker_state_name(enum sd_breaker_state state) {
    static const char *const names[] = {"closed", "open", "half-open"};
    return names[state];
}

struct sd_breaker *sd_breaker_create(const char *name, int32_t failures, int32_t open_ms, int32_t limit_ms,
                                     struct sd_error *error) {
    struct sd_breaker *breaker = calloc(1, sizeof *breaker);
    if (breaker == NULL || lg_mutex_init(&breaker->lock, "breaker.lock", SD_LEVEL_LEAF) != 0) {
        free(breaker);
        sd_fail_busy(error, "no_memory", 1, "no memory for a breaker");
        return NULL;
    }
    breaker->name = name;
    breaker->failures_limit = failures;
    breaker->open_ms = open_ms;
    breaker->limit_ms = limit_ms;
    return breaker;
}

void sd_breaker_destroy(struct sd_breaker *breaker) {
    if (breaker == NULL)
        return;
    lg_mutex_destroy(&breaker->lock);
    free(breaker);
}

static void enter_state(struct sd_breaker *breaker, enum sd_breaker_state state) {
    breaker->state = state;
    breaker->phase++;
    breaker->probing = false;
    breaker->failures = 0;
    if (state == SD_BREAKER_OPEN) {
        breaker->times_opened++;
        breaker->opened_ms = sd_now_ms();
        breaker->opened_wall_ms = sd_wall_ms();
    }
}

static int64_t retry_in(const struct sd_breaker *breaker) {
    return breaker->state == SD_BREAKER_OPEN ? sd_left_ms(breaker->opened_ms + breaker->open_ms) : 0;
}

/* Under the lock: -1, or after how many milliseconds to ask again. */
static int64_t refused_for(struct sd_breaker *breaker) {
    if (breaker->state == SD_BREAKER_OPEN && retry_in(breaker) == 0)
        enter_state(breaker, SD_BREAKER_HALF_OPEN);
    if (breaker->state == SD_BREAKER_OPEN)
        return retry_in(breaker);
    if (breaker->state == SD_BREAKER_HALF_OPEN && breaker->probing)
        return 1000;
    breaker->probing = breaker->state == SD_BREAKER_HALF_OPEN;
    return -1;
}

bool sd_breaker_enter(struct sd_breaker *breaker, uint64_t *ticket, struct sd_error *error) {
    if (!sd_lock(&breaker->lock, error))
        return false;
    int64_t retry_ms = refused_for(breaker);
    if (retry_ms < 0) {
        breaker->calls++;
        *ticket = breaker->phase;
    } else {
        breaker->refused++;
    }
    sd_unlock(&breaker->lock);
    return retry_ms < 0 || sd_fail_busy(error, "circuit_open", (int)((retry_ms + 999) / 1000),
                                        "%s is out of order; its breaker is open", breaker->name);
}

/* Under the lock. */
static void count_failure(struct sd_breaker *breaker) {
    breaker->failed++;
    breaker->failures++;
    if (breaker->state == SD_BREAKER_HALF_OPEN || breaker->failures >= breaker->failures_limit)
        enter_state(breaker, SD_BREAKER_OPEN);
}

static void tell(const struct sd_breaker *breaker, enum sd_breaker_state before,
                 enum sd_breaker_state after) {
    if (before != after)
        sd_log(after == SD_BREAKER_OPEN ? SD_LOG_WARNING : SD_LOG_INFO, "breaker %s: %s, was %s",
               breaker->name, sd_breaker_state_name(after), sd_breaker_state_name(before));
}

void sd_breaker_leave(struct sd_breaker *breaker, uint64_t ticket, bool succeeded) {
    sd_lock_surely(&breaker->lock);
    enum sd_breaker_state before = breaker->state;
    if (ticket == breaker->phase) {
        if (!succeeded)
            count_failure(breaker);
        else if (breaker->state == SD_BREAKER_HALF_OPEN)
            enter_state(breaker, SD_BREAKER_CLOSED);
        else
            breaker->failures = 0;
    }
    enum sd_breaker_state after = breaker->state;
    sd_unlock(&breaker->lock);
    tell(breaker, before, after);
}

void sd_breaker_withdraw(struct sd_breaker *breaker, uint64_t ticket) {
    sd_lock_surely(&breaker->lock);
    if (ticket == breaker->phase)
        breaker->probing = false;
    sd_unlock(&breaker->lock);
}

bool sd_breaker_reset(struct sd_breaker *breaker, struct sd_error *error) {
    if (!sd_lock(&breaker->lock, error))
        return false;
    enum sd_breaker_state before = breaker->state;
    enter_state(breaker, SD_BREAKER_CLOSED);
    sd_unlock(&breaker->lock);
    sd_log(SD_LOG_INFO, "breaker %s: reset by hand", breaker->name);
    tell(breaker, before, SD_BREAKER_CLOSED);
    return true;
}

void sd_breaker_figures(struct sd_breaker *breaker, struct sd_breaker_figures *figures) {
    sd_lock_surely(&breaker->lock);
    bool was_opened = breaker->state != SD_BREAKER_CLOSED;
    *figures = (struct sd_breaker_figures){.name = breaker->name,
                                           .state = breaker->state,
                                           .failures = breaker->failures,
                                           .failures_limit = breaker->failures_limit,
                                           .open_ms = breaker->open_ms,
                                           .limit_ms = breaker->limit_ms,
                                           .opened_at_ms = was_opened ? breaker->opened_wall_ms : 0,
                                           .retry_in_ms = retry_in(breaker),
                                           .calls = breaker->calls,
                                           .failed = breaker->failed,
                                           .refused = breaker->refused,
                                           .times_opened = breaker->times_opened};
    sd_unlock(&breaker->lock);
}
