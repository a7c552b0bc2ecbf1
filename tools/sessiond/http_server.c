#include "http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
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
    LEAST_DISCARDED = 1 << 20, /* of a body that is too long, so that its sender hears of it */
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
    _Atomic uint64_t accepted, requests, too_large, timeouts;
};

/* --- the beginning of a request */

static enum MHD_Result add_length(void *of, enum MHD_ValueKind kind, const char *name, const char *value) {
    size_t *length = of;
    (void)kind;
    *length += strlen(name) + (value == NULL ? 0 : strlen(value)) + 4; /* ": " and the end of the line */
    return MHD_YES;
}

static bool check_headers(struct sd_request *request, size_t url_length) {
    size_t length = url_length;
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, add_length, &length);
    if (length <= (size_t)request->all->context->config->header_limit)
        return true;
    sd_fail(&request->refused, 431, "headers_too_large", "give at most %d bytes of headers",
            request->all->context->config->header_limit);
    sd_copy(request->refused.field, sizeof request->refused.field, "headers");
    return false;
}

static bool check_access(struct sd_request *request) {
    const struct sd_http_context *context = request->all->context;
    const char *header = sd_request_header(request, MHD_HTTP_HEADER_AUTHORIZATION);
    switch (request->match.route->access) {
    case SD_USER:
        return sd_auth_user(context->auth, header, &request->user, &request->refused) &&
               sd_limiter_admit(context->limiter, request->user, &request->refused);
    case SD_ADMIN:
        return sd_auth_admin(context->auth, header, &request->refused);
    case SD_ADMIN_OR_PAGE:
        return sd_request_wants_page(request) || sd_auth_admin(context->auth, header, &request->refused);
    default:
        return true;
    }
}

static void too_long(struct sd_http_server *server, struct sd_request *request) {
    const struct sd_config *config = server->context->config;
    if (request->too_long)
        return;
    request->too_long = true;
    atomic_fetch_add(&server->too_large, 1);
    sd_text_free(&request->body);
    if (request->refused.status != 0)
        return;
    sd_fail(&request->refused, 413, "body_too_large", "give at most %d bytes", config->body_limit);
    sd_copy(request->refused.field, sizeof request->refused.field, "body");
}

static size_t most_discarded(const struct sd_http_server *server) {
    size_t most = (size_t)server->context->config->body_limit * 16;
    return most < LEAST_DISCARDED ? LEAST_DISCARDED : most;
}

/* Who says how much comes is told at once, if that is beyond all bearing. */
static enum MHD_Result check_length(struct sd_http_server *server, struct sd_request *request) {
    const char *header = sd_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    int64_t length = 0;
    if (header == NULL || !sd_parse_number(header, 0, INT64_MAX, &length) ||
        length <= server->context->config->body_limit)
        return MHD_YES;
    too_long(server, request);
    return (size_t)length > most_discarded(server) ? sd_reply_error(request, &request->refused) : MHD_YES;
}

static struct sd_request *begin(struct sd_http_server *server, struct MHD_Connection *connection,
                                const char *url, const char *method) {
    struct sd_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->connection = connection;
    request->all = &server->all;
    request->method = method;
    request->began_us = sd_now_us();
    sd_copy(request->path, sizeof request->path, url);
    atomic_fetch_add(&server->requests, 1);
    server->all.unanswered++;
    if (server->all.closing)
        sd_fail_busy(&request->refused, "shutting_down", 1, "the service is shutting down");
    else if (check_headers(request, strlen(url)) &&
             sd_route_find(method, request->path, &request->match, &request->refused))
        check_access(request);
    return request;
}

/* --- its body and its answer */

static enum MHD_Result take_body(struct sd_http_server *server, struct sd_request *request, const char *bytes,
                                 size_t *length) {
    size_t limit = (size_t)server->context->config->body_limit;
    if (request->body.length + *length > limit)
        too_long(server, request);
    if (request->refused.status == 0)
        sd_text_add_bytes(&request->body, bytes, *length);
    else
        request->discarded += *length;
    *length = 0;
    return request->discarded > most_discarded(server) ? MHD_NO : MHD_YES;
}

static enum MHD_Result answer(struct sd_request *request) {
    if (request->pending != NULL && (request->arrived || request->all->closing))
        return sd_exchange_finish(request);
    if (request->pending != NULL) {
        sd_exchange_suspend(request);
        return MHD_YES;
    }
    if (request->body.failed)
        sd_fail_busy(&request->refused, "no_memory", 1, "no memory for the body");
    if (request->refused.status != 0)
        return sd_reply_error(request, &request->refused);
    return request->match.route->answer(request, request->all->context);
}

static enum MHD_Result handle(void *of, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *bytes, size_t *length,
                              void **at) {
    struct sd_http_server *server = of;
    struct sd_request *request = *at;
    (void)version;
    if (request == NULL) {
        *at = request = begin(server, connection, url, method);
        return request == NULL ? MHD_NO : check_length(server, request);
    }
    if (*length > 0)
        return take_body(server, request, bytes, length);
    return request->replied ? MHD_YES : answer(request);
}

static void completed(void *of, struct MHD_Connection *connection, void **at,
                      enum MHD_RequestTerminationCode how) {
    struct sd_http_server *server = of;
    struct sd_request *request = *at;
    (void)connection;
    if (how == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED)
        atomic_fetch_add(&server->timeouts, 1);
    if (request == NULL)
        return;
    *at = NULL;
    sd_exchange_unlist(request);
    sd_exchange_forget(request);
    if (request->stream != NULL)
        sd_stream_over(request->stream);
    server->all.unanswered--;
    sd_text_free(&request->body);
    free(request);
}

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
        flags, 0, NULL, NULL, handle, server, MHD_OPTION_EXTERNAL_LOGGER, log_daemon, NULL,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)server->most, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)((config->connection_timeout_ms + 999) / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)config->header_limit + ROOM_BESIDE_HEADERS, MHD_OPTION_NOTIFY_COMPLETED, completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, connection_changed, server, MHD_OPTION_END);
    if (server->daemon == NULL)
        return sd_fail(error, 500, "no_listener", "%s port %d: %s", config->listen, config->port,
                       strerror(errno));
    server->port = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return true;
}

static bool watch_daemon(struct sd_http_server *server, struct sd_loop *loop, struct sd_error *error) {
    int wakes;
    if (!sd_wake_open(&wakes, error) || !sd_loop_watch(loop, wakes, EPOLLIN, wakes_ready, server, error) ||
        !sd_loop_watch(loop, MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, EPOLLIN,
                       daemon_ready, server, error))
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

/* All that wait are answered, and have a moment to hear it. */
static void end_loop(struct sd_loop *loop, void *of) {
    struct sd_http_server *server = of;
    (void)loop;
    server->all.closing = true;
    sd_wake_close();
    for (int round = 0; round < LAST_ROUNDS && server->all.unanswered > 0; round++) {
        while (server->all.suspended != NULL)
            sd_exchange_resume(server->all.suspended);
        MHD_run_wait(server->daemon, LAST_ROUND_MS);
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
    figures->requests = atomic_load(&server->requests);
    figures->too_large = atomic_load(&server->too_large);
    figures->timeouts = atomic_load(&server->timeouts);
}
