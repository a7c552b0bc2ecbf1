#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lockgraph/log.h>

#include "clock.h"

enum { LINE = 1024 };

static const char *const level_names[] = {"ERROR", "WARNING", "INFO", "DEBUG"};

/* Set before the first thread. */
static int out = STDERR_FILENO;
static enum sd_log_level most = SD_LOG_INFO;
static _Thread_local uint64_t about;

static void from_lockgraph(enum lg_log_level level, const char *line, void *user) {
    (void)user;
    sd_log((enum sd_log_level)level, "%s", line);
}

bool sd_log_open(const char *path, enum sd_log_level level, struct sd_error *error) {
    most = level;
    if (path != NULL && path[0] != 0) {
        int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (file < 0)
            return sd_fail(error, 500, "log_file", "%s: %s; choose another log_file", path, strerror(errno));
        out = file;
    }
    lg_log_to(from_lockgraph, NULL);
    return true;
}

bool sd_log_wanted(enum sd_log_level level) { return level <= most; }

static size_t begin_line(char *line, enum sd_log_level level) {
    int64_t now = sd_wall_ms();
    int length = snprintf(line, LINE, "[%lld.%03d] %s ", (long long)(now / 1000), (int)(now % 1000),
                          level_names[level]);
    size_t at = (size_t)length;
    length = about == 0 ? snprintf(line + at, LINE - at, "manager: ")
                        : snprintf(line + at, LINE - at, "session %llu: ", (unsigned long long)about);
    return at + (size_t)length;
}

void sd_log(enum sd_log_level level, const char *format, ...) {
    char line[LINE];
    va_list arguments;
    if (!sd_log_wanted(level))
        return;
    int saved = errno;
    size_t at = begin_line(line, level);
    va_start(arguments, format);
    int length = vsnprintf(line + at, LINE - 1 - at, format, arguments);
    va_end(arguments);
    at += length < 0 ? 0 : (size_t)length;
    if (at > LINE - 2)
        at = LINE - 2;
    line[at++] = '\n';
    if (write(out, line, at) < 0) {
        /* There is nowhere to tell it. */
    }
    errno = saved;
}

uint64_t sd_log_session(uint64_t session_id) {
    uint64_t before = about;
    about = session_id;
    return before;
}
