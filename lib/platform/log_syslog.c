#include "platform/log_syslog.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "platform/system.h"

/* Written by the constructor. */
static struct sockaddr_un address;
/* Not connected, so that a system log that was started anew gets the lines, too.
 * Relaxed; -1: lines do not go to the system log. */
static _Atomic int kept = -1;

static int open_socket(void) {
    long descriptor = lgp_syscall(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0, 0, 0);
    return descriptor < 0 ? -1 : lgp_high_descriptor((int)descriptor);
}

static void close_socket(int descriptor) { lgp_close(descriptor); }

/* By a connection that is given up at once. */
static bool somebody_listens(int descriptor) {
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    if (lgp_syscall(SYS_connect, descriptor, (long)&address, sizeof address, 0, 0, 0) != 0)
        return false;
    return lgp_syscall(SYS_connect, descriptor, (long)&nobody, sizeof nobody, 0, 0, 0) == 0;
}

bool lgp_syslog_open(const char *path) {
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address.sun_path)
        return false;
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, path, length + 1);
    int descriptor = open_socket();
    if (descriptor < 0)
        return false;
    if (!somebody_listens(descriptor)) {
        close_socket(descriptor);
        return false;
    }
    atomic_store_explicit(&kept, descriptor, memory_order_relaxed);
    return true;
}

bool lgp_syslog_on(void) { return atomic_load_explicit(&kept, memory_order_relaxed) >= 0; }

static bool has(int descriptor, int option, int wanted) {
    int value = -1;
    socklen_t size = sizeof value;
    return lgp_syscall(SYS_getsockopt, descriptor, SOL_SOCKET, option, (long)&value, (long)&size, 0) == 0 &&
           value == wanted;
}

/* A program that closes all descriptors closed this one, too, and the number may be its
 * own by now.  If that is a socket of the same kind, it will do: the address goes with
 * each line.  -1: no other could be opened. */
static int socket_now(void) {
    int descriptor = atomic_load_explicit(&kept, memory_order_relaxed);
    if (has(descriptor, SO_DOMAIN, AF_UNIX) && has(descriptor, SO_TYPE, SOCK_DGRAM))
        return descriptor;
    int opened = open_socket(), expected = descriptor;
    if (opened < 0 || atomic_compare_exchange_strong_explicit(&kept, &expected, opened, memory_order_relaxed,
                                                              memory_order_relaxed))
        return opened;
    close_socket(opened); /* another thread was faster */
    return expected;
}

static unsigned priority_of(enum lgp_log_level level) {
    enum { USER = 1, FACILITY_SHIFT = 3 };
    static const unsigned severities[] = {3, 4, 6, 7}; /* err, warning, info, debug */
    return USER << FACILITY_SHIFT | severities[level];
}

bool lgp_syslog_send(enum lgp_log_level level, const char *text, size_t length) {
    enum { TAG = 64 };
    char buffer[LGP_LOG_LINE + TAG];
    struct lgp_text line = {buffer, sizeof buffer, 0};
    lgp_format(&line, "<%u>lockgraph[%u]: ", priority_of(level), lgp_pid());
    if (length > sizeof buffer - line.length)
        length = sizeof buffer - line.length;
    memcpy(buffer + line.length, text, length);
    int descriptor = socket_now();
    if (descriptor < 0)
        return false;
    long sent = lgp_syscall(SYS_sendto, descriptor, (long)buffer, (long)(line.length + length),
                            MSG_NOSIGNAL | MSG_DONTWAIT, (long)&address, sizeof address);
    return sent >= 0 || sent == -EAGAIN || sent == -ENOBUFS;
}
