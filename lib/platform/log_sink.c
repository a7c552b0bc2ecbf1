#include "platform/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "platform/print.h"
#include "platform/system.h"

static struct lgp_sink standard_error = {.descriptor = 2};

static bool look(int descriptor, struct stat *status) {
#if defined __x86_64__
    return lgp_syscall(SYS_fstat, descriptor, (long)status, 0, 0, 0, 0) == 0;
#else
    return lgp_syscall(SYS_newfstatat, descriptor, (long)"", (long)status, 0x1000 /* AT_EMPTY_PATH */, 0,
                       0) == 0;
#endif
}

void lgp_sink_remember(struct lgp_sink *sink, int descriptor) {
    struct stat status;
    sink->known = look(descriptor, &status);
    if (sink->known) {
        sink->device = status.st_dev;
        sink->file = status.st_ino;
    }
    atomic_store_explicit(&sink->descriptor, sink->known ? descriptor : -1, memory_order_relaxed);
}

void lgp_log_start(void) { lgp_sink_remember(&standard_error, lgp_sink_descriptor(&standard_error)); }

void lgp_log_redirect(int descriptor) {
    standard_error.known = false;
    atomic_store_explicit(&standard_error.descriptor, descriptor, memory_order_relaxed);
}

bool lgp_sink_same(const struct lgp_sink *sink, int descriptor) {
    struct stat status;
    return !sink->known ||
           (look(descriptor, &status) && status.st_dev == sink->device && status.st_ino == sink->file);
}

/* A pipe that is full would block, perhaps for ever: the thread that empties it
 * may be waiting for us. */
static bool takes_text(int descriptor) {
    struct pollfd poll = {.fd = descriptor, .events = POLLOUT};
    struct timespec now = {0, 0};
    long ready = lgp_syscall(SYS_ppoll, (long)&poll, 1, (long)&now, 0, 0, 0);
    return ready == 1 && (poll.revents & POLLOUT) != 0;
}

static const uint64_t pipe_signal = (uint64_t)1 << (SIGPIPE - 1);

static uint64_t block_pipe_signal(void) {
    uint64_t old = 0;
    lgp_syscall(SYS_rt_sigprocmask, SIG_BLOCK, (long)&pipe_signal, (long)&old, sizeof old, 0, 0);
    return old;
}

static bool pipe_signal_pending(void) {
    uint64_t pending = 0;
    lgp_syscall(SYS_rt_sigpending, (long)&pending, sizeof pending, 0, 0, 0, 0);
    return (pending & pipe_signal) != 0;
}

/* Takes back the signal that our own write caused. */
static void unblock_pipe_signal(uint64_t old, bool consume) {
    struct timespec now = {0, 0};
    if (consume)
        lgp_syscall(SYS_rt_sigtimedwait, (long)&pipe_signal, 0, (long)&now, sizeof pipe_signal, 0, 0);
    lgp_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&old, 0, sizeof old, 0, 0);
}

/* A second write only where the kernel took a part; a sink that cannot take
 * the text loses it. */
static bool write_all(int descriptor, const char *text, size_t length) {
    while (length > 0 && takes_text(descriptor)) {
        long written = lgp_syscall(SYS_write, descriptor, (long)text, (long)length, 0, 0, 0);
        if (written == -EINTR)
            continue;
        if (written == -EPIPE)
            return false;
        if (written <= 0)
            return true;
        text += written;
        length -= (size_t)written;
    }
    return true;
}

void lgp_sink_write(const struct lgp_sink *sink, const char *text, size_t length) {
    int descriptor = lgp_sink_descriptor(sink);
    if (descriptor < 0 || !lgp_sink_same(sink, descriptor))
        return;
    uint64_t old = block_pipe_signal();
    bool pending_before = pipe_signal_pending();
    bool reader_there = write_all(descriptor, text, length);
    unblock_pipe_signal(old, !reader_there && !pending_before);
}

void lgp_write(const char *text, size_t length) { lgp_sink_write(&standard_error, text, length); }
