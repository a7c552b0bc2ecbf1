#include "interpose/log_callback.h"

#include <stdatomic.h>
#include <string.h>

#include "interpose/told_later.h"
#include "platform/log_target.h"

struct noted_line {
    struct lgi_noted noted;
    enum lg_log_level level;
    char text[]; /* with a terminator */
};

/* The user's pointer is written before the callback (release). */
static _Atomic(lg_log_callback *) callback;
static _Atomic(void *) callback_user;

_Static_assert((int)LG_LOG_ERROR == LGP_LOG_ERROR && (int)LG_LOG_DEBUG == LGP_LOG_DEBUG,
               "the same levels by two names");

static void tell(const struct lgi_noted *noted) {
    const struct noted_line *line = (const struct noted_line *)noted;
    lg_log_callback *function = atomic_load_explicit(&callback, memory_order_acquire);
    if (function != NULL)
        function(line->level, line->text, atomic_load_explicit(&callback_user, memory_order_relaxed));
}

static void note(enum lgp_log_level level, const char *text, size_t length) {
    struct noted_line *line = lgi_note(sizeof *line + length + 1, tell);
    if (line == NULL)
        return;
    line->level = (enum lg_log_level)level;
    memcpy(line->text, text, length);
}

void lgi_log_callback(lg_log_callback *function, void *user) {
    atomic_store_explicit(&callback, NULL, memory_order_relaxed);
    atomic_store_explicit(&callback_user, user, memory_order_relaxed);
    atomic_store_explicit(&callback, function, memory_order_release);
    lgp_log_give_to(function != NULL ? note : NULL);
}
