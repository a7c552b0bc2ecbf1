#include "interpose/finding_callback.h"

#include <stdatomic.h>

#include "interpose/finding_text.h"
#include "interpose/told_later.h"
#include "platform/options.h"

struct noted_finding {
    struct lgi_noted noted;
    struct lg_finding finding;
    char text[LGI_FINDING_TEXT];
};

/* The user's pointer is written before the callback (release). */
static _Atomic(lg_finding_callback *) callback;
static _Atomic(void *) callback_user;

void lgi_finding_callback(lg_finding_callback *function, void *user) {
    atomic_store_explicit(&callback, NULL, memory_order_relaxed);
    atomic_store_explicit(&callback_user, user, memory_order_relaxed);
    atomic_store_explicit(&callback, function, memory_order_release);
}

static void tell(const struct lgi_noted *noted) {
    const struct noted_finding *finding = (const struct noted_finding *)noted;
    lg_finding_callback *function = atomic_load_explicit(&callback, memory_order_acquire);
    if (function != NULL)
        function(&finding->finding, atomic_load_explicit(&callback_user, memory_order_relaxed));
}

void lgi_finding_note(const struct lge_finding *finding) {
    if (atomic_load_explicit(&callback, memory_order_relaxed) == NULL)
        return;
    struct noted_finding *noted = lgi_note(sizeof *noted, tell);
    if (noted == NULL)
        return;
    struct lgp_text text = {noted->text, sizeof noted->text, 0};
    lgi_put_finding(&text, finding);
    noted->finding = (struct lg_finding){.kind = lgp_check_name((enum lgp_check)(finding->kind - 1)),
                                         .severity = (enum lg_severity)finding->severity,
                                         .problem = finding->problem,
                                         .text = noted->text};
}
