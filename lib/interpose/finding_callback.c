#include "interpose/finding_callback.h"

#include "interpose/callback_pair.h"
#include "interpose/finding_text.h"
#include "interpose/told_later.h"
#include "platform/options.h"

struct noted_finding {
    struct lgi_noted noted;
    struct lg_finding finding;
    char text[LGI_FINDING_TEXT];
};

static struct lgi_pair_place callback;

void lgi_finding_callback(lg_finding_callback *function, void *user) {
    lgi_pair_set(&callback, (void (*)(void))function, user);
}

static void tell(const struct lgi_noted *noted) {
    const struct noted_finding *finding = (const struct noted_finding *)noted;
    const struct lgi_pair *pair = lgi_pair_get(&callback);
    if (pair != NULL)
        ((lg_finding_callback *)pair->function)(&finding->finding, pair->user);
}

void lgi_finding_note(const struct lge_finding *finding) {
    if (lgi_pair_get(&callback) == NULL)
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
