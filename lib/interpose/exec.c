/* exec*(3): the evidence of this image ends there, and its end says so.  When
 * the call fails the program goes on, and so does the evidence.
 *
 * Between vfork and exec the parent's memory is used by the child: then nothing
 * is touched.  posix_spawn, system and popen do not come through here. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/usage.h"
#include "interpose/real.h"
#include "interpose/runtime.h"
#include "interpose/self.h"
#include "platform/system.h"
#include "record/writer.h"

/* True when there is an end to take back. */
static bool about_to_exec(void) {
    if (!lgi_up || !lgr_writer_is_own())
        return false;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return false;
    lge_usages_write();
    lgi_write_figures();
    lgr_writer_finish(LGR_EXECED, 0);
    lgi_leave(thread);
    return true;
}

static int failed(bool ended, int result) {
    if (ended)
        lgr_writer_finish(LGR_RUNNING, 0);
    return result;
}

LGI_EXPORT int execve(const char *path, char *const arguments[], char *const environment[]) {
    bool ended = about_to_exec();
    return failed(ended, lgi_real.execve(path, arguments, environment));
}

LGI_EXPORT int execv(const char *path, char *const arguments[]) {
    bool ended = about_to_exec();
    return failed(ended, lgi_real.execv(path, arguments));
}

LGI_EXPORT int execvp(const char *file, char *const arguments[]) {
    bool ended = about_to_exec();
    return failed(ended, lgi_real.execvp(file, arguments));
}

LGI_EXPORT int execvpe(const char *file, char *const arguments[], char *const environment[]) {
    bool ended = about_to_exec();
    return failed(ended, lgi_real.execvpe(file, arguments, environment));
}

LGI_EXPORT int fexecve(int file, char *const arguments[], char *const environment[]) {
    bool ended = about_to_exec();
    return failed(ended, lgi_real.fexecve(file, arguments, environment));
}

/* glibc has it since 2.34.  Where it has none a program may find ours. */
static int exec_at(int directory, const char *path, char *const arguments[], char *const environment[],
                   int flags) {
    if (lgi_real.execveat != NULL)
        return lgi_real.execveat(directory, path, arguments, environment, flags);
    long result =
        lgp_syscall(SYS_execveat, directory, (long)path, (long)arguments, (long)environment, flags, 0);
    errno = (int)-result; /* it came back: it failed */
    return -1;
}

LGI_EXPORT int execveat(int directory, const char *path, char *const arguments[], char *const environment[],
                        int flags) {
    bool ended = about_to_exec();
    return failed(ended, exec_at(directory, path, arguments, environment, flags));
}

/* ---- with the arguments one by one ---- */

/* Up to and with the NULL. */
static size_t count_arguments(const char *first, va_list more) {
    size_t count = 1;
    for (const char *at = first; at != NULL; count++)
        at = va_arg(more, const char *);
    return count;
}

/* By pointer: the caller goes on behind them, and a va_list may be a structure. */
static void put_arguments(char **to, const char *first, va_list *more) {
    *to = (char *)(uintptr_t)first;
    while (*to++ != NULL)
        *to = va_arg(*more, char *);
}

/* An array of them on the caller's stack, where execl may be called when nothing
 * else may. */
#define ARGUMENTS(array, first)                                                                              \
    va_list more_;                                                                                           \
    va_start(more_, first);                                                                                  \
    size_t count_ = count_arguments(first, more_);                                                           \
    va_end(more_);                                                                                           \
    char *array[count_ + 1];                                                                                 \
    va_start(more_, first);                                                                                  \
    put_arguments(array, first, &more_)

LGI_EXPORT int execl(const char *path, const char *first, ...) {
    ARGUMENTS(arguments, first);
    va_end(more_);
    bool ended = about_to_exec();
    return failed(ended, lgi_real.execve(path, arguments, environ));
}

LGI_EXPORT int execlp(const char *file, const char *first, ...) {
    ARGUMENTS(arguments, first);
    va_end(more_);
    bool ended = about_to_exec();
    return failed(ended, lgi_real.execvp(file, arguments));
}

LGI_EXPORT int execle(const char *path, const char *first, ...) {
    ARGUMENTS(arguments, first);
    char *const *environment = va_arg(more_, char *const *);
    va_end(more_);
    bool ended = about_to_exec();
    return failed(ended, lgi_real.execve(path, arguments, environment));
}
