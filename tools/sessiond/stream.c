#include "stream.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "lookup.h"

enum { BACKLOG = 128 };

/* At the start, before anybody could wait for it. */
static struct addrinfo *look_up(const char *host, int port, struct sd_error *error) {
    struct addrinfo wanted = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char number[16];
    snprintf(number, sizeof number, "%d", port);
    int result = getaddrinfo(host, number, &wanted, &found);
    if (result == 0)
        return found;
    sd_fail_busy(error, "unreachable", 1, "%s: %s", host, gai_strerror(result));
    return NULL;
}

static int open_socket(const struct addrinfo *address) {
    int one = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

bool sd_stream_wait(int fd, short events, int64_t until_ms, const struct sd_cancel *cancel,
                    struct sd_error *error) {
    struct pollfd both[] = {{fd, events, 0}, {sd_cancel_fd(cancel), POLLIN, 0}};
    for (;;) {
        if (!sd_cancel_check(cancel, error))
            return false;
        int32_t left = sd_left_ms(until_ms);
        int ready = poll(both, 2, left);
        if (ready > 0 && both[0].revents != 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return sd_fail_busy(error, "connection_lost", 1, "poll: %s", strerror(errno));
        if (ready == 0 && sd_left_ms(until_ms) == 0)
            return sd_fail(error, 504, "time_limit", "the other side was too slow");
    }
}

static bool finish_connecting(int fd, int64_t until_ms, const struct sd_cancel *cancel,
                              struct sd_error *error) {
    int failure = 0;
    socklen_t size = sizeof failure;
    if (!sd_stream_wait(fd, POLLOUT, until_ms, cancel, error))
        return false;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    return failure == 0 || sd_fail_busy(error, "unreachable", 1, "connecting: %s", strerror(failure));
}

static int connect_to(const struct addrinfo *address, int64_t until_ms, const struct sd_cancel *cancel,
                      struct sd_error *error) {
    int fd = open_socket(address);
    if (fd < 0) {
        sd_fail_busy(error, "unreachable", 1, "socket: %s", strerror(errno));
        return -1;
    }
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    if (errno != EINPROGRESS)
        sd_fail_busy(error, "unreachable", 1, "connecting: %s", strerror(errno));
    else if (finish_connecting(fd, until_ms, cancel, error))
        return fd;
    close(fd);
    return -1;
}

int sd_stream_connect(const char *host, int port, int64_t until_ms, const struct sd_cancel *cancel,
                      struct sd_error *error) {
    struct addrinfo *addresses = sd_lookup(host, port, until_ms, cancel, error);
    int fd = -1;
    for (const struct addrinfo *at = addresses; at != NULL && fd < 0; at = at->ai_next)
        fd = connect_to(at, until_ms, cancel, error);
    if (addresses != NULL)
        freeaddrinfo(addresses);
    return fd;
}

static int port_of(int fd) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

int sd_stream_listen(const char *host, int *port, struct sd_error *error) {
    struct addrinfo *address = look_up(host, *port, error);
    int one = 1;
    if (address == NULL)
        return -1;
    int fd = open_socket(address);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool listens =
        fd >= 0 && bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    freeaddrinfo(address);
    if (listens) {
        *port = port_of(fd);
        return fd;
    }
    sd_fail_busy(error, "address", 0, "listening at %s port %d: %s; choose another", host, *port,
                 strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

bool sd_stream_tell_port(const char *path, int port, struct sd_error *error) {
    char beside[512];
    int length = snprintf(beside, sizeof beside, "%s.%d", path, (int)getpid());
    FILE *file = length < (int)sizeof beside ? fopen(beside, "we") : NULL;
    bool told = file != NULL && fprintf(file, "%d\n", port) > 0;
    told = file != NULL && fclose(file) == 0 && told && rename(beside, path) == 0;
    return told ||
           sd_fail(error, 500, "port_file", "%s: %s; choose another port_file", path, strerror(errno));
}

bool sd_stream_write(int fd, const void *bytes, size_t length, int64_t until_ms,
                     const struct sd_cancel *cancel, struct sd_error *error) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = send(fd, at, length, MSG_NOSIGNAL);
        if (written < 0 && errno == ENOTSOCK)
            written = write(fd, at, length);
        if (written >= 0) {
            at += written;
            length -= (size_t)written;
        } else if (errno == EAGAIN) {
            if (!sd_stream_wait(fd, POLLOUT, until_ms, cancel, error))
                return false;
        } else if (errno != EINTR) {
            return sd_fail_busy(error, "connection_lost", 1, "writing: %s", strerror(errno));
        }
    }
    return true;
}

long sd_stream_read(int fd, void *bytes, size_t room, int64_t until_ms, const struct sd_cancel *cancel,
                    struct sd_error *error) {
    for (;;) {
        if (!sd_stream_wait(fd, POLLIN, until_ms, cancel, error))
            return -1;
        ssize_t got = read(fd, bytes, room);
        if (got >= 0)
            return got;
        if (errno == EINTR || errno == EAGAIN)
            continue;
        sd_fail_busy(error, "connection_lost", 1, "reading: %s", strerror(errno));
        return -1;
    }
}

bool sd_stream_readable(int fd, int32_t ms, const struct sd_cancel *cancel) {
    return sd_stream_wait(fd, POLLIN, sd_now_ms() + ms, cancel, NULL);
}
