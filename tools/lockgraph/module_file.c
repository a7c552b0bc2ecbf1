#include "module_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static int open_plain(struct pool *pool, const char *root, const char *path) {
    return open(pool_printf(pool, "%s%s", root, path), FLAGS);
}

/* An absolute link of a container leads to the container's file, not to ours. */
static int open_below(struct pool *pool, const char *root, const char *path) {
    struct open_how how = {.flags = FLAGS, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -1;
    int descriptor = (int)syscall(__NR_openat2, directory, path, &how, sizeof how);
    /* Before Linux 5.6; or the filter of a container does not know it. */
    bool unknown = descriptor < 0 && (errno == ENOSYS || errno == EPERM);
    close(directory);
    return unknown ? open_plain(pool, root, path) : descriptor;
}

static const char *path_of(struct pool *pool, int descriptor) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path);
    return length > 0 ? pool_string_n(pool, path, (size_t)length) : NULL;
}

static bool lies_below(const char *path, const char *root) {
    size_t length = strlen(root);
    return strncmp(path, root, length) == 0 && path[length] == '/';
}

int module_file_open(struct pool *pool, const struct symbol_paths *paths, const char *path,
                     const char **found) {
    struct stat status;
    bool below = paths && paths->sysroot && !lies_below(path, paths->sysroot); /* found already */
    int descriptor = below ? open_below(pool, paths->sysroot, path) : open(path, FLAGS);
    if (descriptor < 0)
        return -1;
    const char *real = below ? path_of(pool, descriptor) : NULL;
    *found = real ? real : path;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode))
        return descriptor;
    close(descriptor);
    return -1;
}
