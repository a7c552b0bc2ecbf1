#include "module_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_LINKS = 40 }; /* as the kernel follows */

#define FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* The target of a link; NULL: it is none. */
static const char *link_target(struct pool *pool, const char *path) {
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof target);
    return length > 0 ? pool_string_n(pool, target, (size_t)length) : NULL;
}

/* `path` without its last name. */
static const char *parent_of(struct pool *pool, const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? pool_string_n(pool, path, (size_t)(slash - path)) : "";
}

/* `place` has no link in it: a place below the root, "" for the root itself. */
static const char *enter(struct pool *pool, const char *place, const char *name, size_t length) {
    if (length == 0 || (length == 1 && name[0] == '.'))
        return place;
    if (length == 2 && memcmp(name, "..", 2) == 0)
        return parent_of(pool, place);
    return pool_printf(pool, "%s/%.*s", place, (int)length, name);
}

int module_file_open_by_steps(struct pool *pool, const char *root, const char *path) {
    const char *place = "";
    for (int links = 0; *path != '\0';) {
        size_t length = strcspn(path, "/");
        const char *next = enter(pool, place, path, length);
        const char *rest = path + length + strspn(path + length, "/");
        const char *target = link_target(pool, pool_printf(pool, "%s%s", root, next));
        if (target && ++links > MOST_LINKS)
            return -1;
        if (!target)
            place = next;
        else if (*target == '/')
            place = "";
        path = target ? pool_printf(pool, "%s/%s", target, rest) : rest;
    }
    return open(pool_printf(pool, "%s%s", root, place), FLAGS | O_NOFOLLOW);
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
    return unknown ? module_file_open_by_steps(pool, root, path) : descriptor;
}

static const char *path_of(struct pool *pool, int descriptor) {
    return link_target(pool, pool_printf(pool, "/proc/self/fd/%d", descriptor));
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
