#include "options.h"

#ifdef LOCKGRAPH_DISABLE

void sd_options_apply(const struct sd_config *config, char *const *arguments) {
    (void)config, (void)arguments;
}

#else

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lockgraph/options.h>

/* A lock that is not meant to be held over I/O (sd_held_over_io) and is, for that long, is
 * told.  SQLite's locks on parts of its files are the process's: one thread takes them for
 * all, and another gives them back. */
const char *lg_default_options(void) { return "blocked_limit=500ms:file_locks=0"; }

static void add_wanted(const struct sd_config *config, char *options, size_t room) {
    size_t length = 0;
    options[0] = 0;
    /* Changes of limits are told at info. */
    if (strcmp(config->log_level, "debug") == 0)
        length += (size_t)snprintf(options, room, "log=debug:");
    else if (config->adaptive_timeouts && strcmp(config->log_level, "info") == 0)
        length += (size_t)snprintf(options, room, "log=info:");
    if (config->adaptive_timeouts)
        snprintf(options + length, room - length,
                 "adaptive=1:adaptive_factor=%d:adaptive_min=%dms:adaptive_max=%dms:",
                 config->adaptive_factor_percent / 100, (int)config->adaptive_min_ms,
                 (int)config->adaptive_max_ms);
}

/* By its path: through /proc/self/exe its name would be "exe". */
static void begin_again(char *const *arguments) {
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length < 0 ? 0 : length] = 0;
    execv(program, arguments);
    fprintf(stderr, "sessiond: cannot begin again with more options: %s\n", strerror(errno));
}

void sd_options_apply(const struct sd_config *config, char *const *arguments) {
    static const char done[] = "SESSIOND_OPTIONS_APPLIED";
    char wanted[256], all[4096];
    const char *own = getenv("LOCKGRAPH_OPTIONS");
    add_wanted(config, wanted, sizeof wanted);
    if (wanted[0] == 0 || getenv(done) != NULL)
        return;
    snprintf(all, sizeof all, "%s%s", wanted, own == NULL ? "" : own);
    setenv("LOCKGRAPH_OPTIONS", all, 1);
    setenv(done, "1", 1);
    begin_again(arguments);
}

#endif
