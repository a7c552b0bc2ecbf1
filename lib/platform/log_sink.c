/* Where text goes: a descriptor that is the program's, too, or for log lines a file.  It may have been
 * closed and become a data file, its reader may be gone, its pipe full: none of
 * that may be seen by the program. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "platform/print.h"
#include "platform/system.h"

/* What a descriptor was when it was ours; all but `descriptor` written once, by
 * the constructor. */
struct sink {
    _Atomic int descriptor; /* -1: none; relaxed */
    bool known;
    dev_t device;
    ino_t file;
};
static struct sink standard_error = {.descriptor = 2};
static struct sink log_file = {.descriptor = -1};
static char log_path[PATH_MAX];

static bool look(int descriptor, struct stat *status) {
#if defined __x86_64__
    return lgp_syscall(SYS_fstat, descriptor, (long)status, 0, 0, 0, 0) == 0;
#else
    return lgp_syscall(SYS_newfstatat, descriptor, (long)"", (long)status, 0x1000 /* AT_EMPTY_PATH */, 0,
                       0) == 0;
#endif
}

static int descriptor_of(const struct sink *sink) {
    return atomic_load_explicit(&sink->descriptor, memory_order_relaxed);
}

static void remember(struct sink *sink, int descriptor) {
    struct stat status;
    sink->known = look(descriptor, &status);
    if (sink->known) {
        sink->device = status.st_dev;
        sink->file = status.st_ino;
    }
    atomic_store_explicit(&sink->descriptor, sink->known ? descriptor : -1, memory_order_relaxed);
}

void lgp_log_start(void) { remember(&standard_error, descriptor_of(&standard_error)); }

void lgp_log_redirect(int descriptor) {
    standard_error.known = false;
    atomic_store_explicit(&standard_error.descriptor, descriptor, memory_order_relaxed);
}

static bool same(const struct sink *sink, int descriptor) {
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

static void write_to(const struct sink *sink, const char *text, size_t length) {
    int descriptor = descriptor_of(sink);
    if (descriptor < 0 || !same(sink, descriptor))
        return;
    uint64_t old = block_pipe_signal();
    bool pending_before = pipe_signal_pending();
    bool reader_there = write_all(descriptor, text, length);
    unblock_pipe_signal(old, !reader_there && !pending_before);
}

void lgp_write(const char *text, size_t length) { write_to(&standard_error, text, length); }

/* ---- log lines ---- */

static int open_log(void) {
    long descriptor =
        lgp_syscall(SYS_openat, AT_FDCWD, (long)log_path,
                    O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0600, 0, 0);
    return descriptor < 0 ? -1 : lgp_high_descriptor((int)descriptor);
}

bool lgp_log_to(const char *where) {
    static const char prefix[] = "file:";
    if (strcmp(where, "stderr") == 0)
        return true;
    if (strncmp(where, prefix, sizeof prefix - 1) == 0)
        where += sizeof prefix - 1;
    struct lgp_text path = {log_path, sizeof log_path, 0};
    lgp_format(&path, "%s", where);
    int descriptor = open_log();
    if (descriptor >= 0)
        remember(&log_file, descriptor);
    return descriptor >= 0;
}

/* A program that closes all descriptors closed this one, too; the number may be
 * its own by now. */
static void find_again(void) {
    int descriptor = descriptor_of(&log_file);
    if (same(&log_file, descriptor))
        return;
    int opened = open_log(), expected = descriptor;
    bool ours = opened >= 0 && same(&log_file, opened) &&
                atomic_compare_exchange_strong_explicit(&log_file.descriptor, &expected, opened,
                                                        memory_order_relaxed, memory_order_relaxed);
    if (opened >= 0 && !ours)
        lgp_syscall(SYS_close, opened, 0, 0, 0, 0, 0);
}

void lgp_log_write(const char *text, size_t length) {
    if (descriptor_of(&log_file) < 0) {
        lgp_write(text, length);
        return;
    }
    find_again();
    write_to(&log_file, text, length);
}
