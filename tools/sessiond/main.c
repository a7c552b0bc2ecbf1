/* The program: what its flags ask for.  Takes no locks. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "lock_order.h"
#include "log.h"
#include "timed.h"

enum { EXIT_CONFIGURATION = 2 };

static enum sd_log_level log_level(const char *name) {
    static const char *const names[] = {"error", "warning", "info", "debug"};
    int level = SD_LOG_DEBUG;
    while (level > SD_LOG_ERROR && strcmp(names[level], name) != 0)
        level--;
    return (enum sd_log_level)level;
}

static int run(const struct sd_config *config) {
    struct sd_error error;
    if (config->mode == SD_MODE_HELP) {
        sd_config_help(stdout);
        return 0;
    }
    if (!sd_log_open(config->log_file, log_level(config->log_level), &error)) {
        fprintf(stderr, "sessiond: %s\n", error.text);
        return EXIT_CONFIGURATION;
    }
    sd_lock_order_declare();
    sd_timed_set(config->lock_timeout_ms, config->adaptive_timeouts);
    sd_log(SD_LOG_INFO, "nothing is served yet");
    return 0;
}

int main(int count, char **arguments) {
    struct sd_config config;
    int status = EXIT_CONFIGURATION;
    if (sd_config_load(&config, count, arguments, stderr))
        status = run(&config);
    sd_config_free(&config);
    return status;
}
