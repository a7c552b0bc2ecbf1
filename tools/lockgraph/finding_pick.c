#include "finding_pick.h"

#include <string.h>

#include "command.h"
#include "kinds.h"

#define LISTED 8

bool finding_prefix_fits(const char *command, const char *text) {
    size_t length = strlen(text);
    if (length && length <= FINDING_ID_DIGITS && strspn(text, "0123456789abcdef") == length)
        return true;
    complain("%s: \"%s\" is no id of a finding; an id is %d hexadecimal digits, or the first few of them, as "
             "reports print it",
             command, text, FINDING_ID_DIGITS);
    return false;
}

static bool fits(const struct model_finding *finding, const char *prefix) {
    return strncmp(finding->id, prefix, strlen(prefix)) == 0;
}

static void list(const struct model *model, const char *prefix) {
    size_t told = 0;
    for (size_t i = 0; i < model->finding_count && told < LISTED; i++)
        if (fits(&model->findings[i], prefix)) {
            complain("  %s %s: %s", model->findings[i].id, kind_name(model->findings[i].kind),
                     model->findings[i].title);
            told++;
        }
}

const struct model_finding *finding_pick(const struct model *model, const char *command, const char *prefix) {
    const struct model_finding *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < model->finding_count; i++)
        if (fits(&model->findings[i], prefix)) {
            found = &model->findings[i];
            count++;
        }
    if (count == 1)
        return found;
    if (count)
        complain("%s: %zu findings begin with %s; give more digits of one:", command, count, prefix);
    else
        complain("%s: none of the %zu findings here begins with %s; lockgraph report --show notes lists them",
                 command, model->finding_count, prefix);
    list(model, prefix);
    return NULL;
}
