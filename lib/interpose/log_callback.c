#include "interpose/log_callback.h"

#include <string.h>

#include "interpose/callback_pair.h"
#include "interpose/told_later.h"
#include "platform/log_target.h"

struct noted_line {
    struct lgi_noted noted;
    enum lg_log_level level;
    char text[]; /* with a terminator */
};

static struct lgi_pair_place callback;

_Static_assert((int)LG_LOG_ERROR == LGP_LOG_ERROR && (int)LG_LOG_DEBUG == LGP_LOG_DEBUG,
               "the same levels by two names");

static void tell(const struct lgi_noted *noted) {
    const struct noted_line *line = (const struct noted_line *)noted;
    const struct lgi_pair *pair = lgi_pair_get(&callback);
    if (pair != NULL)
        ((lg_log_callback *)pair->function)(line->level, line->text, pair->user);
}

static void note(enum lgp_log_level level, const char *text, size_t length) {
    struct noted_line *line = lgi_note(sizeof *line + length + 1, tell);
    if (line == NULL)
        return;
    line->level = (enum lg_log_level)level;
    memcpy(line->text, text, length);
}

void lgi_log_callback(lg_log_callback *function, void *user) {
    lgi_pair_set(&callback, (void (*)(void))function, user);
    lgp_log_give_to(function != NULL ? note : NULL);
}
