/* The program: what its flags ask for.  Takes no locks. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <lockgraph/lockgraph.h>

#include "config.h"
#include "inject.h"
#include "lock_order.h"
#include "log.h"
#include "model.h"
#include "options.h"
#include "peer.h"
#include "service.h"
#include "supervise.h"
#include "timed.h"

enum { EXIT_CONFIGURATION = 2, ARENAS = 2 };

static enum sd_log_level log_level(const char *name) {
    static const char *const names[] = {"error", "warning", "info", "debug"};
    int level = SD_LOG_DEBUG;
    while (level > SD_LOG_ERROR && strcmp(names[level], name) != 0)
        level--;
    return (enum sd_log_level)level;
}

/* ---- serving ---- */

/* Before the first thread, so that all of them have these blocked. */
static int open_signals(void) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &ends, SFD_CLOEXEC);
}

static void wait_for_signal(int signals) {
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) < 0 && errno == EINTR)
        continue;
}

static bool break_it(struct sd_service *service, const struct sd_injection *injection) {
    struct sd_error error;
    sd_log(SD_LOG_WARNING, "injecting %s", injection->name);
    bool done = injection->run(service, &error);
    if (!done)
        sd_log(SD_LOG_ERROR, "%s: %s", injection->name, error.text);
    return done;
}

static int serve(const struct sd_config *config) {
    static struct sd_service service; /* threads that did not end may use it to the last */
    struct sd_error error;
    const struct sd_injection *injection = NULL;
    if (config->inject[0] != 0 && (injection = sd_inject_find(config->inject, &error)) == NULL) {
        fprintf(stderr, "sessiond: --inject: %s\n", error.text);
        return EXIT_CONFIGURATION;
    }
    int signals = open_signals();
    mallopt(M_ARENA_MAX, ARENAS); /* each keeps the most that any of its threads ever had */
    lg_watchdog_thread();
    if (!sd_service_start(&service, config, &error)) {
        fprintf(stderr, "sessiond: %s\n", error.text);
        return EXIT_FAILURE;
    }
    bool well = true;
    if (injection != NULL)
        well = break_it(&service, injection);
    else
        wait_for_signal(signals);
    unsigned left = sd_service_stop(&service);
    return well && left == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- what the flags ask for ---- */

static int supervise(const struct sd_config *config, int count, char **arguments) {
    char **own = calloc((size_t)count + 1, sizeof *own);
    if (own == NULL)
        return EXIT_FAILURE;
    for (int i = 0, kept = 0; i < count; i++)
        if (strcmp(arguments[i], "--supervise") != 0)
            own[kept++] = arguments[i];
    int status = sd_supervise_main(config, own);
    free(own);
    return status;
}

static void help(void) {
    sd_config_help(stdout);
    printf("\n--inject breaks it on purpose:\n");
    sd_inject_list(stdout);
}

static int run(const struct sd_config *config, int count, char **arguments) {
    struct sd_error error;
    if (config->mode == SD_MODE_HELP) {
        help();
        return EXIT_SUCCESS;
    }
    if (config->mode == SD_MODE_SERVE)
        sd_options_apply(config, arguments);
    if (!sd_log_open(config->log_file, log_level(config->log_level), &error)) {
        fprintf(stderr, "sessiond: %s\n", error.text);
        return EXIT_CONFIGURATION;
    }
    sd_lock_order_declare();
    sd_timed_set(config->lock_timeout_ms, config->adaptive_timeouts);
    switch (config->mode) {
    case SD_MODE_PEER:
        return sd_peer_main(config);
    case SD_MODE_MODEL:
        return sd_model_main();
    case SD_MODE_SUPERVISE:
        return supervise(config, count, arguments);
    default:
        return serve(config);
    }
}

int main(int count, char **arguments) {
    static struct sd_config config; /* likewise */
    int status = EXIT_CONFIGURATION;
    if (!sd_config_load(&config, count, arguments, stderr))
        sd_config_free(&config);
    else if ((status = run(&config, count, arguments)) == EXIT_SUCCESS)
        sd_config_free(&config);
    return status;
}
