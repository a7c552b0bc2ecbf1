/* The options of `lockgraph run`, shared with `lockgraph env`. */
#ifndef LOCKGRAPH_COMMAND_RUN_SETTINGS_H
#define LOCKGRAPH_COMMAND_RUN_SETTINGS_H

#include <stdbool.h>

#include "command.h"
#include "platform/options.h"
#include "pool.h"

/* Behind the name of the data directory: what `env --order` writes. */
#define SAVED_ORDER_SUFFIX ".order"

struct run_settings {
    const char *directory; /* NULL: from the options */
    bool append, strict, require_coverage;
    unsigned fail_on;
    int findings_code;       /* -1: from the options */
    const char *on_deadlock; /* NULL: from the options */
    double timeout;          /* seconds, 0: none */
    const char **given;      /* each -O */
    size_t given_count;
    const char **suppression_files; /* each --suppressions */
    size_t suppression_file_count;
    const char *order_file; /* --order; NULL: the default one */
};

extern const struct command_option run_options[], env_options[];
bool run_apply(void *settings, const struct command_option *option, const char *value, char *error);

/* The runtime's options that the settings and the environment amount to; data
 * is as given.  False with one sentence in `error`. */
bool run_runtime_options(struct pool *pool, const struct run_settings *settings, struct lgp_options *options,
                         const char **error);

#endif
