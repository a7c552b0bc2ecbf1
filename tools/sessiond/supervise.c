#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "health_client.h"
#include "log.h"
#include "text.h"

enum {
    EXIT_CONFIGURATION = 2,
    EXIT_NOT_EXECUTED = 127,
    INSPECT_LIMIT_MS = 10000,
    SHUTDOWN_STEPS = 5, /* each at most shutdown_ms: tasks finish, are cancelled; workers likewise; threads */
    END_ROOM_MS = 2000, /* beyond that */
    FORK_PAUSE_MS = 1000,
    RESTART_PAUSE_MS = 100,
    MOST_ARGUMENTS = 4096
};

struct supervisor {
    const struct sd_config *config;
    char *const *arguments; /* of the service */
    char port_file[SD_PATH + 32];
    int signals; /* signalfd: SIGTERM, SIGINT, SIGCHLD */
    sigset_t mask_before;
    pid_t service; /* 0: none runs */
    int status;    /* of the one that ended last */
    bool ending;   /* SIGTERM came */
    unsigned restarts;
};

/* --- the child */

static int open_signals(struct supervisor *supervisor) {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGCHLD);
    sigprocmask(SIG_BLOCK, &wanted, &supervisor->mask_before);
    return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Between fork and exec; ends with its parent, so that none is left behind. */
static void become(const struct supervisor *supervisor, const char *program, char *const *arguments) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigprocmask(SIG_SETMASK, &supervisor->mask_before, NULL);
    execvp(program, arguments);
    _exit(EXIT_NOT_EXECUTED);
}

static bool start_service(struct supervisor *supervisor) {
    unlink(supervisor->port_file); /* what the last one told */
    supervisor->service = fork();
    if (supervisor->service == 0)
        become(supervisor, "/proc/self/exe", supervisor->arguments);
    if (supervisor->service > 0) {
        sd_log(SD_LOG_INFO, "supervisor: service started, process %d", supervisor->service);
        return true;
    }
    sd_log(SD_LOG_ERROR, "supervisor: fork: %s", strerror(errno));
    supervisor->service = 0;
    return false;
}

static void reap(struct supervisor *supervisor) {
    int status;
    if (supervisor->service == 0 || waitpid(supervisor->service, &status, WNOHANG) != supervisor->service)
        return;
    supervisor->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    sd_log(SD_LOG_WARNING, "supervisor: process %d ended, %s %d", supervisor->service,
           WIFEXITED(status) ? "status" : "signal",
           WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    supervisor->service = 0;
}

static void take_signals(struct supervisor *supervisor) {
    struct signalfd_siginfo info;
    while (read(supervisor->signals, &info, sizeof info) == sizeof info)
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            supervisor->ending = true;
    reap(supervisor);
}

/* Until then, or until the service ended or is to: false. */
static bool rest(struct supervisor *supervisor, int64_t until_ms, bool while_it_runs) {
    while (!supervisor->ending && !(while_it_runs && supervisor->service == 0) && sd_now_ms() < until_ms) {
        struct pollfd signals = {supervisor->signals, POLLIN, 0};
        if (poll(&signals, 1, sd_left_ms(until_ms)) > 0)
            take_signals(supervisor);
    }
    return !supervisor->ending;
}

/* Politely, and then not. */
static void end_service(struct supervisor *supervisor) {
    int64_t until = sd_now_ms() + SHUTDOWN_STEPS * (int64_t)supervisor->config->shutdown_ms + END_ROOM_MS;
    if (supervisor->service == 0)
        return;
    kill(supervisor->service, SIGTERM);
    while (supervisor->service != 0 && sd_now_ms() < until) {
        struct pollfd signals = {supervisor->signals, POLLIN, 0};
        if (poll(&signals, 1, sd_left_ms(until)) > 0)
            take_signals(supervisor);
    }
    if (supervisor->service == 0)
        return;
    sd_log(SD_LOG_WARNING, "supervisor: process %d does not end: killed", supervisor->service);
    kill(supervisor->service, SIGKILL);
    waitpid(supervisor->service, &supervisor->status, 0);
    supervisor->service = 0;
}

/* --- who waits for whom */

static void log_lines(char *text) {
    char *rest_of_it = NULL;
    for (char *line = strtok_r(text, "\n", &rest_of_it); line != NULL;
         line = strtok_r(NULL, "\n", &rest_of_it))
        sd_log(SD_LOG_WARNING, "inspect: %s", line);
}

/* All that it writes, in at most INSPECT_LIMIT_MS. */
static void read_all(int fd, struct sd_text *text) {
    int64_t until = sd_now_ms() + INSPECT_LIMIT_MS;
    char bytes[4096];
    struct pollfd readable = {fd, POLLIN, 0};
    ssize_t length = 1;
    while (length > 0 && poll(&readable, 1, sd_left_ms(until)) > 0) {
        length = read(fd, bytes, sizeof bytes);
        if (length > 0)
            sd_text_add_bytes(text, bytes, (size_t)length);
    }
}

static pid_t start_inspect(const struct supervisor *supervisor, const int output[2]) {
    char process[16];
    char command[SD_PATH], inspect[] = "inspect";
    snprintf(process, sizeof process, "%d", supervisor->service);
    sd_copy(command, sizeof command, supervisor->config->inspect_command);
    char *const arguments[] = {command, inspect, process, NULL};
    pid_t child = fork();
    if (child != 0)
        return child;
    dup2(output[1], STDOUT_FILENO);
    dup2(output[1], STDERR_FILENO);
    become(supervisor, command, arguments);
    return -1;
}

static void inspect_service(const struct supervisor *supervisor) {
    struct sd_text text = {0};
    int output[2];
    if (supervisor->service == 0 || pipe2(output, O_CLOEXEC) != 0)
        return;
    pid_t child = start_inspect(supervisor, output);
    close(output[1]);
    if (child > 0) {
        read_all(output[0], &text);
        kill(child, SIGKILL); /* where it is late */
        waitpid(child, NULL, 0);
    }
    close(output[0]);
    if (text.bytes != NULL)
        log_lines(text.bytes);
    sd_text_free(&text);
}

/* --- asking */

/* 0: it has not told.  That of the configuration may be another service's. */
static int read_port(const struct supervisor *supervisor) {
    int port = 0;
    FILE *file = fopen(supervisor->port_file, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%d", &port) != 1)
        port = 0;
    fclose(file);
    return port;
}

static bool ask(const struct supervisor *supervisor, char *reason, size_t room) {
    int port = read_port(supervisor);
    if (supervisor->service == 0) {
        snprintf(reason, room, "it has ended, status %d", supervisor->status);
        return false;
    }
    if (port == 0) {
        snprintf(reason, room, "it has not told its port");
        return false;
    }
    return sd_health_ask(supervisor->config->listen, port, supervisor->config->supervise_limit_ms, reason,
                         room);
}

/* From its start until it fails too often; false: the supervisor is to end. */
static bool watch_service(struct supervisor *supervisor, char *reason, size_t room) {
    const struct sd_config *config = supervisor->config;
    int64_t grace_ends = sd_now_ms() + config->supervise_grace_ms;
    int32_t failures = 0;
    bool was_well = false;
    while (failures < config->supervise_failures) {
        if (!rest(supervisor, sd_now_ms() + config->supervise_every_ms, false))
            return false;
        if (supervisor->service == 0 && supervisor->status == EXIT_CONFIGURATION)
            return false; /* it would do so again */
        if (ask(supervisor, reason, room)) {
            was_well = true;
            failures = 0;
            continue;
        }
        if (!was_well && sd_now_ms() < grace_ends)
            continue;
        failures++;
        sd_log(SD_LOG_WARNING, "supervisor: failure %d of %d: %s", failures, config->supervise_failures,
               reason);
    }
    return true;
}

static void supervise(struct supervisor *supervisor) {
    char reason[160];
    while (!supervisor->ending) {
        if (!start_service(supervisor)) { /* too many processes, say: that passes */
            rest(supervisor, sd_now_ms() + FORK_PAUSE_MS, false);
            continue;
        }
        if (!watch_service(supervisor, reason, sizeof reason))
            break;
        supervisor->restarts++;
        sd_log(SD_LOG_ERROR, "supervisor: restart %u: %s", supervisor->restarts, reason);
        inspect_service(supervisor);
        end_service(supervisor);
        rest(supervisor, sd_now_ms() + RESTART_PAUSE_MS, false);
    }
    end_service(supervisor);
}

/* The service's own arguments, and where it tells its port. */
static char **with_port_file(char *const *arguments, char *port_file) {
    static char flag[] = "--port-file";
    size_t count = 0;
    while (count < MOST_ARGUMENTS && arguments[count] != NULL)
        count++;
    char **all = calloc(count + 3, sizeof *all);
    if (all == NULL)
        return NULL;
    memcpy(all, arguments, count * sizeof *all);
    all[count] = flag;
    all[count + 1] = port_file;
    return all;
}

int sd_supervise_main(const struct sd_config *config, char *const *arguments) {
    struct supervisor supervisor = {.config = config};
    if (config->port_file[0] != 0)
        sd_copy(supervisor.port_file, sizeof supervisor.port_file, config->port_file);
    else
        snprintf(supervisor.port_file, sizeof supervisor.port_file, "%s.port", config->data_dir);
    char **all = with_port_file(arguments, supervisor.port_file);
    supervisor.signals = open_signals(&supervisor);
    supervisor.arguments = all;
    if (all != NULL && supervisor.signals >= 0)
        supervise(&supervisor);
    if (supervisor.signals >= 0)
        close(supervisor.signals);
    free(all);
    return supervisor.status;
}
