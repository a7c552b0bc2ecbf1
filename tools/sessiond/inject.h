/* Ways of breaking it (--inject NAME): each in a file of its own, inject_<name>.c, with a
 * comment that says what is wrong and what is found.  They run inside the started service,
 * use its locks, and end within 5 s or hang for good. */
#ifndef SD_INJECT_H
#define SD_INJECT_H

#include <stdbool.h>
#include <stdio.h>

#include "error.h"
#include "service.h"

struct sd_injection {
    const char *name;
    const char *finding; /* Lockgraph's word for it */
    const char *severity;
    const char *symptom; /* without Lockgraph */
    bool (*run)(struct sd_service *service, struct sd_error *error);
};
/* 400 on a name that is none, with those that are. */
const struct sd_injection *sd_inject_find(const char *name, struct sd_error *error);
void sd_inject_list(FILE *out);

#endif
