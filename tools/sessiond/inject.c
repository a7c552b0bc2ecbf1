#include "inject.h"

#include <string.h>

#include "inject_list.h"
#include "text.h"

static const struct sd_injection *const all[] = {
    &sd_inject_reverse_order,    &sd_inject_abba,           &sd_inject_three_way, &sd_inject_pool_exhaustion,
    &sd_inject_held_over_io,     &sd_inject_stall,          &sd_inject_lost_task, &sd_inject_unlock_twice,
    &sd_inject_forgotten_unlock, &sd_inject_signal_handler, &sd_inject_fork_held,
};
enum { COUNT = sizeof all / sizeof all[0] };

const struct sd_injection *sd_inject_find(const char *name, struct sd_error *error) {
    struct sd_text names = {0};
    for (size_t at = 0; at < COUNT; at++) {
        if (strcmp(all[at]->name, name) == 0) {
            sd_text_free(&names);
            return all[at];
        }
        sd_text_format(&names, "%s%s", at == 0 ? "" : ", ", all[at]->name);
    }
    sd_fail(error, 400, "no_injection", "%s is none of %s", name, names.bytes == NULL ? "" : names.bytes);
    sd_text_free(&names);
    return NULL;
}

void sd_inject_list(FILE *out) {
    for (size_t at = 0; at < COUNT; at++)
        fprintf(out, "  %-17s %s (%s); else: %s\n", all[at]->name, all[at]->finding, all[at]->severity,
                all[at]->symptom);
}
