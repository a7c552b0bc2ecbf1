/* flock(2), fcntl(2), lockf(3): the names by which files are locked.
 *
 * fcntl has many other commands, is async-signal-safe, and is called between
 * vfork and exec: all but four commands go straight to libc.  A wait by fcntl or
 * lockf is a cancellation point, one by flock is none. */
#include "interpose/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/file.h>
#include <unistd.h>

#include "interpose/file_descriptors.h"
#include "interpose/file_lock.h"
#include "interpose/real.h"
#include "platform/system.h"

/* Written by the constructor and in a forked child, by its only thread; 0: locks
 * of files are not followed. */
static uint32_t followed_pid;

bool lgi_files_followed(void) { return followed_pid != 0 && followed_pid == lgp_pid(); }

void lgi_files_start(bool on) { followed_pid = on ? lgp_pid() : 0; }

void lgi_files_after_fork(void) {
    lgi_descriptors_forget();
    if (followed_pid != 0)
        followed_pid = lgp_pid();
}

/* ---- flock ---- */

static int make_flock(const struct lgi_file_call *call, bool wait) {
    return lgi_real.flock(call->descriptor, wait ? call->command : call->command | LOCK_NB);
}

static bool range_of_flock(const struct lgi_file_call *call, struct flock *range, uint8_t *mode) {
    (void)range;
    *mode = (call->command & ~LOCK_NB) == LOCK_SH ? LGR_SHARED : LGR_EXCLUSIVE;
    return (call->command & ~LOCK_NB) != LOCK_UN;
}

LGI_EXPORT int flock(int descriptor, int operation) {
    struct lgi_file_call call = {.descriptor = descriptor,
                                 .command = operation,
                                 .site = LGI_SITE(),
                                 .sp = LGI_SP(),
                                 .make = make_flock,
                                 .range = range_of_flock};
    bool wait = (operation & LOCK_NB) == 0 && operation != LOCK_UN;
    return lgi_file_lock(&call, wait);
}

/* ---- fcntl ---- */

static int without_waiting(int command) {
    return command == F_SETLKW ? F_SETLK : command == F_OFD_SETLKW ? F_OFD_SETLK : command;
}

static int make_fcntl(const struct lgi_file_call *call, bool wait) {
    int command = wait ? call->command : without_waiting(call->command);
    return lgi_real.fcntl(call->descriptor, command, call->argument);
}

static bool range_of_fcntl(const struct lgi_file_call *call, struct flock *range, uint8_t *mode) {
    *range = *(const struct flock *)call->argument;
    *mode = range->l_type == F_RDLCK ? LGR_SHARED : LGR_EXCLUSIVE;
    return range->l_type != F_UNLCK;
}

/* Cancelled before it is locked, as by libc. */
static int lock_by_fcntl(int descriptor, int command, void *argument, uintptr_t site, uintptr_t sp) {
    struct lgi_file_call call = {.descriptor = descriptor,
                                 .command = command,
                                 .argument = argument,
                                 .site = site,
                                 .sp = sp,
                                 .ranges = true,
                                 .of_process = command == F_SETLK || command == F_SETLKW,
                                 .make = make_fcntl,
                                 .range = range_of_fcntl};
    bool wait = command != without_waiting(command);
    if (wait)
        pthread_testcancel();
    return lgi_file_lock(&call, wait);
}

_Static_assert(sizeof(struct flock) == sizeof(struct flock64) && F_SETLK == F_SETLK64 &&
                   F_SETLKW == F_SETLKW64,
               "fcntl64 has locks of its own");

static inline bool locks(int command) {
    return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW;
}

/* libc takes the third argument as a pointer, too, whatever the command. */
#define THIRD_ARGUMENT(argument, last)                                                                       \
    va_list more_;                                                                                           \
    va_start(more_, last);                                                                                   \
    void *argument = va_arg(more_, void *);                                                                  \
    va_end(more_)

LGI_EXPORT int fcntl(int descriptor, int command, ...) {
    THIRD_ARGUMENT(argument, command);
    if (LGI_LIKELY(!locks(command)))
        return lgi_real.fcntl(descriptor, command, argument);
    return lock_by_fcntl(descriptor, command, argument, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int fcntl64(int descriptor, int command, ...) {
    THIRD_ARGUMENT(argument, command);
    if (LGI_LIKELY(!locks(command)))
        return lgi_real.fcntl(descriptor, command, argument);
    return lock_by_fcntl(descriptor, command, argument, LGI_SITE(), LGI_SP());
}

/* ---- lockf ---- */

static int make_lockf(const struct lgi_file_call *call, bool wait) {
    bool asks = call->command == F_LOCK && !wait;
    return lgi_real.lockf(call->descriptor, asks ? F_TLOCK : call->command, call->length);
}

static bool range_of_lockf(const struct lgi_file_call *call, struct flock *range, uint8_t *mode) {
    *range = (struct flock){.l_whence = SEEK_CUR, .l_len = call->length};
    *mode = LGR_EXCLUSIVE;
    return call->command != F_ULOCK;
}

static int lock_by_lockf(int descriptor, int command, off_t length, uintptr_t site, uintptr_t sp) {
    struct lgi_file_call call = {.descriptor = descriptor,
                                 .command = command,
                                 .length = length,
                                 .site = site,
                                 .sp = sp,
                                 .ranges = true,
                                 .of_process = true,
                                 .make = make_lockf,
                                 .range = range_of_lockf};
    if (command == F_LOCK)
        pthread_testcancel();
    return lgi_file_lock(&call, command == F_LOCK);
}

/* F_TEST, and what libc refuses. */
static inline bool lockf_locks(int command) {
    return command == F_LOCK || command == F_TLOCK || command == F_ULOCK;
}

LGI_EXPORT int lockf(int descriptor, int command, off_t length) {
    if (!lockf_locks(command))
        return lgi_real.lockf(descriptor, command, length);
    return lock_by_lockf(descriptor, command, length, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int lockf64(int descriptor, int command, off64_t length) {
    if (!lockf_locks(command))
        return lgi_real.lockf(descriptor, command, length);
    return lock_by_lockf(descriptor, command, length, LGI_SITE(), LGI_SP());
}
