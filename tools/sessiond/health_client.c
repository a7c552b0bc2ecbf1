#include "health_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

static bool tell(char *reason, size_t room, const char *what, const char *why) {
    snprintf(reason, room, "%s%s%s", what, why[0] == 0 ? "" : ": ", why);
    return false;
}

static socklen_t read_address(const char *text, int port, struct sockaddr_storage *address) {
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)port);
        return sizeof *six;
    }
    inet_pton(AF_INET, text, &four->sin_addr);
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)port);
    return sizeof *four;
}

static bool wait_for(int fd, short events, int64_t until_ms) {
    struct pollfd polled = {fd, events, 0};
    int ready;
    do
        ready = poll(&polled, 1, sd_left_ms(until_ms));
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

static bool connect_within(int fd, const char *address, int port, int64_t until_ms) {
    struct sockaddr_storage to;
    socklen_t length = read_address(address, port, &to), size = sizeof errno;
    int result = 0;
    if (connect(fd, (struct sockaddr *)&to, length) == 0)
        return true;
    if (errno != EINPROGRESS)
        return false;
    if (!wait_for(fd, POLLOUT, until_ms)) {
        errno = ETIMEDOUT;
        return false;
    }
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &size);
    errno = result;
    return result == 0;
}

/* The first line of the answer. */
static bool read_status(int fd, int64_t until_ms, char *line, size_t room) {
    size_t length = 0;
    line[0] = 0;
    while (length + 1 < room && strchr(line, '\r') == NULL) {
        if (!wait_for(fd, POLLIN, until_ms))
            return false;
        ssize_t more = read(fd, line + length, room - length - 1);
        if (more <= 0)
            break;
        length += (size_t)more;
        line[length] = 0;
    }
    line[strcspn(line, "\r")] = 0;
    return true;
}

static bool ask(int fd, const char *address, int port, int64_t until_ms, char *reason, size_t room) {
    static const char request[] = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char line[64];
    if (!connect_within(fd, address, port, until_ms))
        return tell(reason, room, "/health cannot be asked", strerror(errno));
    if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1)
        return tell(reason, room, "/health cannot be asked", strerror(errno));
    if (!read_status(fd, until_ms, line, sizeof line))
        return tell(reason, room, "/health did not answer in time", "");
    if (strncmp(line, "HTTP/1.1 200", 12) == 0)
        return true;
    return tell(reason, room, "/health answered", line);
}

bool sd_health_ask(const char *address, int port, int32_t limit_ms, char *reason, size_t room) {
    int family = strchr(address, ':') == NULL ? AF_INET : AF_INET6;
    int fd = port == 0 ? -1 : socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return tell(reason, room, "it has not told its port", "");
    bool well = ask(fd, address, port, sd_now_ms() + limit_ms, reason, room);
    close(fd);
    return well;
}
