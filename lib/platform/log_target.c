#include "platform/log_target.h"

#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

#include "platform/log_sink.h"
#include "platform/log_syslog.h"
#include "platform/system.h"

/* ---- a file ---- */

static struct lgp_sink log_file = {.descriptor = -1};
static char log_path[PATH_MAX]; /* written by the constructor */

static int open_log(void) {
    long descriptor =
        lgp_syscall(SYS_openat, AT_FDCWD, (long)log_path,
                    O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0600, 0, 0);
    return descriptor < 0 ? -1 : lgp_high_descriptor((int)descriptor);
}

static bool open_file(const char *name) {
    struct lgp_text path = {log_path, sizeof log_path, 0};
    lgp_format(&path, "%s", name);
    int descriptor = open_log();
    if (descriptor >= 0)
        lgp_sink_remember(&log_file, descriptor);
    return descriptor >= 0;
}

/* A program that closes all descriptors closed this one, too; the number may be
 * its own by now. */
static void find_again(void) {
    int descriptor = lgp_sink_descriptor(&log_file);
    if (lgp_sink_same(&log_file, descriptor))
        return;
    int opened = open_log(), expected = descriptor;
    bool ours = opened >= 0 && lgp_sink_same(&log_file, opened) &&
                atomic_compare_exchange_strong_explicit(&log_file.descriptor, &expected, opened,
                                                        memory_order_relaxed, memory_order_relaxed);
    if (opened >= 0 && !ours)
        lgp_close(opened);
}

/* ---- any of them ---- */

static _Atomic(lgp_log_taker *) taker;

void lgp_log_give_to(lgp_log_taker *function) {
    atomic_store_explicit(&taker, function, memory_order_release);
}

/* What stands behind "<prefix>:", or NULL. */
static const char *behind(const char *where, const char *prefix) {
    size_t length = strlen(prefix);
    return strncmp(where, prefix, length) == 0 && where[length] == ':' ? where + length + 1 : NULL;
}

bool lgp_log_to(const char *where) {
    const char *file = behind(where, "file"), *socket = behind(where, "syslog");
    if (strcmp(where, "stderr") == 0)
        return true;
    if (strcmp(where, "syslog") == 0)
        socket = "/dev/log";
    return socket != NULL ? lgp_syslog_open(socket) : open_file(file != NULL ? file : where);
}

void lgp_log_write(enum lgp_log_level level, const char *text, size_t length) {
    lgp_log_taker *given = atomic_load_explicit(&taker, memory_order_acquire);
    if (given != NULL) {
        given(level, text, length - 1);
    } else if (lgp_sink_descriptor(&log_file) >= 0) {
        find_again();
        lgp_sink_write(&log_file, text, length);
    } else if (!lgp_syslog_on() || !lgp_syslog_send(level, text, length - 1)) {
        lgp_write(text, length);
    }
}
