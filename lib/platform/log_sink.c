/* Where text goes: a descriptor that is the program's, too.  It may have been
 * closed and become a data file, its reader may be gone, its pipe full: none of
 * that may be seen by the program. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "platform/print.h"
#include "platform/system.h"

static _Atomic int sink = 2;

/* What the descriptor was at start; written once by the constructor. */
static struct {
    bool known;
    dev_t device;
    ino_t file;
} identity;

static bool look(int descriptor, struct stat *status) {
#if defined __x86_64__
    return lgp_syscall(SYS_fstat, descriptor, (long)status, 0, 0, 0, 0) == 0;
#else
    return lgp_syscall(SYS_newfstatat, descriptor, (long)"", (long)status, 0x1000 /* AT_EMPTY_PATH */, 0,
                       0) == 0;
#endif
}

void lgp_log_start(void) {
    struct stat status;
    if (!look(sink, &status)) {
        atomic_store_explicit(&sink, -1, memory_order_relaxed);
        return;
    }
    identity.known = true;
    identity.device = status.st_dev;
    identity.file = status.st_ino;
}

void lgp_log_redirect(int descriptor) {
    identity.known = false;
    atomic_store_explicit(&sink, descriptor, memory_order_relaxed);
}

static bool still_the_same(int descriptor) {
    struct stat status;
    return !identity.known ||
           (look(descriptor, &status) && status.st_dev == identity.device && status.st_ino == identity.file);
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

void lgp_write(const char *text, size_t length) {
    int descriptor = atomic_load_explicit(&sink, memory_order_relaxed);
    if (descriptor < 0 || !still_the_same(descriptor))
        return;
    uint64_t old = block_pipe_signal();
    bool pending_before = pipe_signal_pending();
    bool reader_there = write_all(descriptor, text, length);
    unblock_pipe_signal(old, !reader_there && !pending_before);
}
