#include "http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "event_loop.h"
#include "http_exchange.h"
#include "http_wake.h"
#include "log.h"
#include "loop_thread.h"

enum {
    ROOM_BESIDE_HEADERS = 12288,
    OTHER_DESCRIPTORS = 100, /* of pools, sessions' connections, loops, files */
    LAST_ROUNDS = 50,
    LAST_ROUND_MS = 10
};

struct sd_http_server {
    const struct sd_http_context *context;
    struct sd_exchanges all;
    struct sd_loop_thread *thread;
    struct MHD_Daemon *daemon;
    int port;
    int32_t most;   /* connections at once */
    bool ready;     /* the daemon's descriptor was */
    int64_t due_ms; /* when the daemon must run anyhow */
    _Atomic int32_t connections;
    _Atomic uint64_t accepted;
};

static void connection_changed(void *of, struct MHD_Connection *connection, void **at,
                               enum MHD_ConnectionNotificationCode what) {
    struct sd_http_server *server = of;
    (void)connection, (void)at;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        atomic_fetch_add(&server->connections, 1);
        atomic_fetch_add(&server->accepted, 1);
    } else if (atomic_fetch_sub(&server->connections, 1) >= server->most)
        server->all.resumed = true; /* the next run of the daemon accepts again */
}

/* --- the daemon on our loop */

static void run_daemon(struct sd_http_server *server) {
    MHD_UNSIGNED_LONG_LONG ms;
    server->ready = server->all.resumed = false;
    MHD_run(server->daemon);
    server->due_ms = INT64_MAX;
    if (server->all.resumed)
        server->due_ms = sd_now_ms();
    else if (MHD_get_timeout(server->daemon, &ms) == MHD_YES)
        server->due_ms = sd_now_ms() + (int64_t)ms;
}

static int descriptor_of(struct MHD_Daemon *daemon) {
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

static void daemon_ready(struct sd_loop *loop, uint32_t events, void *of) {
    (void)loop, (void)events;
    ((struct sd_http_server *)of)->ready = true;
}

static void wakes_ready(struct sd_loop *loop, uint32_t events, void *of) {
    (void)loop, (void)events, (void)of;
    sd_wake_drain();
}

/* Before each wait of the loop. */
static int32_t before_wait(void *of) {
    struct sd_http_server *server = of;
    sd_wake_run();
    if (server->ready || server->all.resumed || sd_now_ms() >= server->due_ms)
        run_daemon(server);
    if (server->due_ms == INT64_MAX)
        return -1;
    return sd_left_ms(server->due_ms);
}

__attribute__((format(printf, 2, 0))) static void log_daemon(void *of, const char *format,
                                                             va_list arguments) {
    char text[256];
    (void)of;
    vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\n")] = 0;
    sd_log(SD_LOG_DEBUG, "http: %s", text);
}

static bool read_address(const struct sd_config *config, struct sockaddr_storage *address, unsigned *flags,
                         struct sd_error *error) {
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, config->listen, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)config->port);
        return true;
    }
    if (inet_pton(AF_INET6, config->listen, &six->sin6_addr) != 1)
        return sd_fail(error, 400, "bad_listen", "listen = \"%s\": give a numeric address", config->listen);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t)config->port);
    *flags |= MHD_USE_IPv6;
    return true;
}

/* As many as are wanted and leave descriptors for the rest of the service. */
static int32_t connections_at_most(const struct sd_config *config) {
    struct rlimit limit;
    rlim_t others = OTHER_DESCRIPTORS + (rlim_t)config->session_limit;
    rlim_t wanted = others + (rlim_t)config->connection_limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return config->connection_limit;
    if (limit.rlim_cur < wanted && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted)
        return config->connection_limit;
    int32_t most = (int32_t)(limit.rlim_cur > 2 * others ? limit.rlim_cur - others : limit.rlim_cur / 2);
    sd_log(SD_LOG_WARNING,
           "http: %d connections at once instead of %d: raise the limit of open files to %llu", most,
           config->connection_limit, (unsigned long long)wanted);
    return most;
}

static bool start_daemon(struct sd_http_server *server, struct sd_error *error) {
    const struct sd_config *config = server->context->config;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct sockaddr_storage address;
    if (!read_address(config, &address, &flags, error))
        return false;
    server->most = connections_at_most(config);
    errno = 0;
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, sd_exchange_handle, &server->all, MHD_OPTION_EXTERNAL_LOGGER, log_daemon, NULL,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)server->most, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)((config->connection_timeout_ms + 999) / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)config->header_limit + ROOM_BESIDE_HEADERS, MHD_OPTION_NOTIFY_COMPLETED,
        sd_exchange_completed, &server->all, MHD_OPTION_NOTIFY_CONNECTION, connection_changed, server,
        MHD_OPTION_END);
    if (server->daemon == NULL)
        return sd_fail(error, 500, "no_listener", "%s port %d: %s", config->listen, config->port,
                       strerror(errno));
    server->port = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return true;
}

static bool watch_daemon(struct sd_http_server *server, struct sd_loop *loop, struct sd_error *error) {
    int wakes;
    if (!sd_wake_open(loop, &wakes, error) ||
        !sd_loop_watch(loop, wakes, EPOLLIN, wakes_ready, server, error) ||
        !sd_loop_watch(loop, descriptor_of(server->daemon), EPOLLIN, daemon_ready, server, error))
        return false;
    server->ready = true;
    sd_loop_set_limit(loop, before_wait, server);
    return true;
}

static bool begin_loop(struct sd_loop *loop, void *of, struct sd_error *error) {
    struct sd_http_server *server = of;
    server->all.loop = loop;
    if (!start_daemon(server, error))
        return false;
    if (watch_daemon(server, loop, error))
        return true;
    MHD_stop_daemon(server->daemon);
    return false;
}

/* What is ready within a moment, or what time has come for: what MHD_run_wait does, which older ones lack. */
static void last_round(struct sd_http_server *server) {
    struct pollfd ready = {.fd = descriptor_of(server->daemon), .events = POLLIN};
    MHD_UNSIGNED_LONG_LONG ms = LAST_ROUND_MS;
    if (MHD_get_timeout(server->daemon, &ms) != MHD_YES || ms > LAST_ROUND_MS)
        ms = LAST_ROUND_MS;
    poll(&ready, 1, (int)ms);
    MHD_run(server->daemon);
}

/* All that wait are answered, and have a moment to hear it. */
static void end_loop(struct sd_loop *loop, void *of) {
    struct sd_http_server *server = of;
    (void)loop;
    server->all.closing = true;
    sd_wake_close();
    for (int round = 0; round < LAST_ROUNDS && server->all.unanswered > 0; round++) {
        while (server->all.suspended != NULL)
            sd_exchange_resume(server->all.suspended);
        last_round(server);
    }
    while (server->all.suspended != NULL)
        sd_exchange_resume(server->all.suspended);
    MHD_run(server->daemon);
    MHD_stop_daemon(server->daemon);
}

/* --- */

/* Whole or not at all, for who waits for it. */
static bool write_port_file(const struct sd_http_server *server, struct sd_error *error) {
    const char *path = server->context->config->port_file;
    char beside[SD_PATH + 8];
    if (path[0] == 0)
        return true;
    snprintf(beside, sizeof beside, "%s.new", path);
    FILE *file = fopen(beside, "we");
    bool well = file != NULL && fprintf(file, "%d\n", server->port) > 0;
    well = file != NULL && fclose(file) == 0 && well;
    if (well && rename(beside, path) == 0)
        return true;
    return sd_fail(error, 500, "no_port_file", "port_file %s: %s", path, strerror(errno));
}

struct sd_http_server *sd_http_start(struct sd_http_context *context, struct sd_error *error) {
    struct sd_http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for the HTTP server");
        return NULL;
    }
    server->context = server->all.context = context;
    context->server = server;
    server->thread =
        sd_loop_thread_start("http", context->config->loop_heartbeat_ms, begin_loop, end_loop, server, error);
    if (server->thread != NULL && write_port_file(server, error))
        return server;
    if (server->thread != NULL)
        sd_loop_thread_stop(server->thread);
    free(server);
    return NULL;
}

int sd_http_port(const struct sd_http_server *server) { return server->port; }

static void quiesce(struct sd_loop *loop, void *of) {
    struct sd_http_server *server = of;
    (void)loop;
    if (server->all.quiesced)
        return;
    server->all.quiesced = true;
    MHD_socket listener = MHD_quiesce_daemon(server->daemon);
    if (listener != MHD_INVALID_SOCKET)
        close(listener);
}

void sd_http_quiesce(struct sd_http_server *server) {
    struct sd_error error;
    if (!sd_loop_post(server->all.loop, quiesce, server, &error))
        sd_log(SD_LOG_WARNING, "http still listens: %s", error.text);
}

void sd_http_stop(struct sd_http_server *server) {
    sd_loop_thread_stop(server->thread);
    free(server);
}

void sd_http_figures(const struct sd_http_server *server, struct sd_http_figures *figures) {
    figures->connections = atomic_load(&server->connections);
    figures->accepted = atomic_load(&server->accepted);
    figures->requests = atomic_load(&server->all.requests);
    figures->too_large = atomic_load(&server->all.too_large);
    figures->timeouts = atomic_load(&server->all.timeouts);
}
