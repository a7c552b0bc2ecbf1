#include "platform/tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "platform/memory.h"
#include "platform/print.h"
#include "platform/system.h"

static long read_some(long descriptor, char *buffer, size_t room) {
    long got;
    do
        got = lgp_syscall(SYS_read, descriptor, (long)buffer, (long)room, 0, 0, 0);
    while (got == -EINTR);
    return got;
}

/* ---- one thread ---- */

/* proc(5), /proc/pid/stat: "tid (name) state ppid pgrp session tty_nr tpgid flags …";
 * the name may contain anything. */
static enum lgp_task_state state_in(const char *line) {
    enum { FLAGS_AFTER_STATE = 6, PF_EXITING = 4 };
    const char *at = strrchr(line, ')');
    if (at == NULL || at[1] != ' ')
        return LGP_TASK_RUNS;
    char state = at[2];
    at += 2;
    for (int i = 0; i < FLAGS_AFTER_STATE && at != NULL; i++) {
        at = strchr(at, ' ');
        at = at == NULL ? NULL : at + 1;
    }
    unsigned flags = 0;
    for (; at != NULL && *at >= '0' && *at <= '9'; at++)
        flags = flags * 10 + (unsigned)(*at - '0');
    if (state == 'Z' || state == 'X' || (flags & PF_EXITING) != 0)
        return LGP_TASK_GONE;
    return state == 'S' ? LGP_TASK_SLEEPS : LGP_TASK_RUNS;
}

enum lgp_task_state lgp_task_state(uint32_t tid) {
    char path[64], line[512];
    struct lgp_text text = {path, sizeof path, 0};
    lgp_format(&text, "/proc/self/task/%u/stat", tid);
    long descriptor = lgp_open_to_read(path, 0);
    if (descriptor < 0)
        return descriptor == -ENOENT ? LGP_TASK_GONE : LGP_TASK_RUNS;
    long got = read_some(descriptor, line, sizeof line - 1);
    lgp_close(descriptor);
    if (got <= 0)
        return got == -ESRCH ? LGP_TASK_GONE : LGP_TASK_RUNS;
    line[got] = '\0';
    return state_in(line);
}

/* ---- all threads ---- */

/* getdents64(2). */
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

static uint32_t number_of(const char *name) {
    uint32_t number = 0;
    for (; *name >= '0' && *name <= '9'; name++)
        number = number * 10 + (uint32_t)(*name - '0');
    return number;
}

static bool each_of(const char *buffer, long size, bool (*each)(uint32_t, void *), void *user) {
    for (long at = 0; at < size;) {
        const struct entry *entry = (const void *)(buffer + at);
        uint32_t tid = number_of(entry->name); /* 0: "." or ".." */
        if (tid != 0 && !each(tid, user))
            return false;
        at += entry->length;
    }
    return true;
}

bool lgp_tasks_each(bool (*each)(uint32_t tid, void *user), void *user) {
    _Alignas(struct entry) char buffer[2048];
    long size = -1, descriptor = lgp_open_to_read("/proc/self/task", O_DIRECTORY);
    if (descriptor < 0)
        return false;
    do
        size = lgp_syscall(SYS_getdents64, descriptor, (long)buffer, sizeof buffer, 0, 0, 0);
    while (size > 0 && each_of(buffer, size, each, user));
    lgp_close(descriptor);
    return size == 0;
}

/* ---- handlers ---- */

/* The kernel's idea of a signal action: rt_sigaction(2). */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* What cannot be asked counts as handled. */
static bool handled(int number) {
    struct kernel_action action = {0};
    if (lgp_syscall(SYS_rt_sigaction, number, 0, (long)&action, sizeof action.mask, 0, 0) != 0)
        return true;
    return action.handler != SIG_DFL && action.handler != SIG_IGN;
}

/* Libc's own, and those of faults, which only a thread that runs can make. */
static bool passed_over(int number) {
    return (number >= 32 && number < SIGRTMIN) || number == SIGILL || number == SIGTRAP || number == SIGBUS ||
           number == SIGFPE || number == SIGSEGV || number == SIGSYS;
}

bool lgp_handlers_installed(void) {
    for (int number = 1; number <= 64; number++)
        if (!passed_over(number) && handled(number))
            return true;
    return false;
}

/* ---- shared memory ---- */

static const char *hexadecimal(const char *text, uintptr_t *value) {
    for (*value = 0;; text++) {
        unsigned digit = (unsigned char)*text;
        if (digit >= '0' && digit <= '9')
            digit -= '0';
        else if (digit >= 'a' && digit <= 'f')
            digit -= 'a' - 10;
        else
            return text;
        *value = *value << 4 | digit;
    }
}

struct mappings {
    char *buffer; /* begins with a line, or is in the middle of a long one */
    size_t filled;
    bool inside; /* of a line whose beginning was seen */
    bool (*each)(uintptr_t start, uintptr_t end, void *user);
    void *user;
};
enum { ROOM = 4096, BEGINNING = 48 };

/* "start-end rwxs …" */
static bool take_beginning(const struct mappings *mappings, const char *line) {
    uintptr_t start, end;
    const char *at = hexadecimal(line, &start);
    at = hexadecimal(at + (*at == '-'), &end);
    return at[0] != ' ' || at[1] == '\0' || at[4] != 's' || mappings->each(start, end, mappings->user);
}

/* Takes what is complete; of the last line its beginning must be. */
static bool take(struct mappings *mappings) {
    char *at = mappings->buffer, *end = mappings->buffer + mappings->filled;
    *end = '\0';
    while (at < end) {
        if (!mappings->inside && end - at < BEGINNING && memchr(at, '\n', (size_t)(end - at)) == NULL)
            break;
        if (!mappings->inside && !take_beginning(mappings, at))
            return false;
        char *newline = memchr(at, '\n', (size_t)(end - at));
        mappings->inside = newline == NULL;
        at = newline == NULL ? end : newline + 1;
    }
    mappings->filled = (size_t)(end - at);
    memmove(mappings->buffer, at, mappings->filled);
    return true;
}

bool lgp_shared_mappings_each(bool (*each)(uintptr_t start, uintptr_t end, void *user), void *user) {
    struct mappings mappings = {.buffer = lgp_alloc(ROOM), .each = each, .user = user};
    long got = -1, descriptor = lgp_open_maps();
    while (mappings.buffer != NULL && descriptor >= 0) {
        got = read_some(descriptor, mappings.buffer + mappings.filled, ROOM - 1 - mappings.filled);
        if (got <= 0)
            break;
        mappings.filled += (size_t)got;
        if (!take(&mappings)) {
            got = -1;
            break;
        }
    }
    if (descriptor >= 0)
        lgp_close(descriptor);
    lgp_free(mappings.buffer, ROOM);
    return got == 0;
}

static bool lies_elsewhere(uintptr_t start, uintptr_t end, void *address) {
    return (uintptr_t)address < start || (uintptr_t)address >= end;
}

bool lgp_memory_shared(const void *address) {
    return !lgp_shared_mappings_each(lies_elsewhere, (void *)(uintptr_t)address);
}
