/* Creation of the evidence file: directory, name, high descriptor. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_TMPFILE */
#endif
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "platform/print.h"
#include "platform/system.h"
#include "record/writer_file.h"

#define PROGRAM_MAX   64u
#define NAME_ATTEMPTS 100000u

static bool append(struct lgr_output *output, const char *text) {
    size_t length = strlen(output->path), more = strlen(text);
    if (more >= LGR_PATH_SIZE - length)
        return false;
    memcpy(output->path + length, text, more + 1);
    return true;
}

static bool start_path(struct lgr_output *output, const char *directory) {
    output->path[0] = '\0';
    /* Absolute, because the program may change its directory later. */
    if (directory[0] != '/') {
        long length = lgp_syscall(SYS_getcwd, (long)output->path, LGR_PATH_SIZE, 0, 0, 0, 0);
        if (length <= 0 || output->path[0] != '/')
            return false;
        if (!append(output, "/"))
            return false;
    }
    if (!append(output, directory))
        return false;
    size_t length = strlen(output->path);
    while (length > 1 && output->path[length - 1] == '/')
        output->path[--length] = '\0';
    return true;
}

static char sanitised(char c) {
    bool keep = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                c == '_' || c == '-';
    return keep ? c : '_';
}

static void program_name(char name[PROGRAM_MAX + 1]) {
    char path[1024];
    long length =
        lgp_syscall(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)path, sizeof path, 0, 0);
    size_t end = length > 0 ? (size_t)length : 0, start = end, used = 0;
    while (start > 0 && path[start - 1] != '/')
        start--;
    for (; start < end && used < PROGRAM_MAX; start++)
        name[used++] = sanitised(path[start]);
    name[used] = '\0';
    /* A leading dot would hide the file. */
    if (used == 0 || name[0] == '.')
        memcpy(name, used ? "_" : "unknown", used ? 1 : sizeof "unknown");
}

/* Writes `<program>.<pid>.<number>.lgd` behind the directory. */
static bool set_name(struct lgr_output *output, const char *program, uint32_t pid, unsigned number) {
    char name[PROGRAM_MAX + 40];
    struct lgp_text text = {name, sizeof name, 0};
    lgp_format(&text, "%s.%u.%u.lgd", program, pid, number);
    output->path[output->directory_length] = '\0';
    return append(output, name);
}

/* Tries numbers until one is free; `take` returns -EEXIST for one in use. */
static long take_name(struct lgr_output *output, long (*take)(struct lgr_output *)) {
    char program[PROGRAM_MAX + 1];
    program_name(program);
    uint32_t pid = lgp_pid();
    long result = -EEXIST;
    for (unsigned number = 0; result == -EEXIST && number < NAME_ATTEMPTS; number++) {
        if (!set_name(output, program, pid, number))
            return -ENAMETOOLONG;
        result = take(output);
    }
    return result;
}

static long create_named(struct lgr_output *output) {
    return lgp_syscall(SYS_openat, AT_FDCWD, (long)output->path,
                       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600, 0, 0);
}

static long create_unnamed(const struct lgr_output *output) {
    return lgp_syscall(SYS_openat, AT_FDCWD, (long)output->path, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600, 0, 0);
}

/* Exclusive, and never through a link: linkat does not replace or follow. */
static long link_unnamed(struct lgr_output *output) {
    char link[40];
    struct lgp_text text = {link, sizeof link, 0};
    lgp_format(&text, "/proc/self/fd/%d", output->descriptor);
    return lgp_syscall(SYS_linkat, AT_FDCWD, (long)link, AT_FDCWD, (long)output->path, AT_SYMLINK_FOLLOW, 0);
}

static long remember_identity(struct lgr_output *output) {
    struct stat status;
    long result = lgp_syscall(SYS_fstat, output->descriptor, (long)&status, 0, 0, 0, 0);
    output->device = (uint64_t)status.st_dev;
    output->inode = (uint64_t)status.st_ino;
    return result;
}

long lgr_output_create(struct lgr_output *output, const char *directory, bool unnamed) {
    output->descriptor = -1;
    output->named = false;
    if (!start_path(output, directory))
        return -ENAMETOOLONG;
    /* A directory that cannot be made shows in the open that follows. */
    lgp_syscall(SYS_mkdirat, AT_FDCWD, (long)output->path, 0700, 0, 0, 0);
    output->directory_length = strlen(output->path) + 1;
    long descriptor;
    if (unnamed)
        descriptor = create_unnamed(output);
    else
        descriptor = append(output, "/") ? take_name(output, create_named) : -ENAMETOOLONG;
    if (descriptor < 0)
        return descriptor;
    output->named = !unnamed;
    output->descriptor = lgp_high_descriptor((int)descriptor);
    return remember_identity(output);
}

long lgr_output_publish(struct lgr_output *output) {
    if (output->named)
        return 0;
    long result = append(output, "/") ? take_name(output, link_unnamed) : -ENAMETOOLONG;
    output->named = result == 0;
    return result;
}

void lgr_output_discard(struct lgr_output *output) {
    if (output->named)
        lgp_syscall(SYS_unlinkat, AT_FDCWD, (long)output->path, 0, 0, 0, 0);
    lgr_output_drop(output);
    output->named = false;
    output->path[0] = '\0';
}
