#include "process_evidence.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data_dir.h"
#include "symbols.h"

/* A file without a name at first (O_TMPFILE) stays so in proc(5): "DIR/#4711 (deleted)".
 * What it is called now tells its directory. */
static const char *file_with_inode(struct pool *pool, const char *directory, unsigned long inode) {
    struct path_list files;
    struct stat status;
    if (!data_dir_list(pool, directory, &files))
        return NULL;
    for (size_t i = 0; i < files.count; i++)
        if (lstat(files.paths[i], &status) == 0 && status.st_ino == inode)
            return files.paths[i];
    return NULL;
}

/* proc(5): "00400000-00452000 rw-s 00000000 08:02 173521  /path"; shared, and of a file. */
static const char *mapped_directory(struct pool *pool, const char *line, unsigned long *inode) {
    char permissions[5] = "";
    int at = 0;
    if (sscanf(line, "%*x-%*x %4s %*x %*x:%*x %lu %n", permissions, inode, &at) != 2 || at == 0 ||
        permissions[3] != 's' || line[at] != '/')
        return NULL;
    const char *path = line + at, *last = strrchr(path, '/');
    return pool_string_n(pool, path, last == path ? 1 : (size_t)(last - path));
}

/* Through its own root, where it has another one: a container. */
static const char *find_mapped(struct pool *pool, pid_t pid, FILE *maps) {
    const char *found = NULL;
    char *line = NULL;
    size_t size = 0;
    unsigned long inode;
    while (!found && getline(&line, &size, maps) > 0) {
        const char *directory = mapped_directory(pool, line, &inode);
        if (!directory)
            continue;
        found = file_with_inode(pool, directory, inode);
        if (!found)
            found = file_with_inode(pool, pool_printf(pool, "/proc/%d/root%s", (int)pid, directory), inode);
    }
    free(line);
    return found;
}

/* "<program>.<pid>.<n>.lgd" (docs/evidence-format.md): its n, or -1. */
static long number_for(const char *path, pid_t pid) {
    char middle[24];
    snprintf(middle, sizeof middle, ".%d.", (int)pid);
    const char *name = base_name(path), *found = NULL;
    for (const char *at = strstr(name, middle); at; at = strstr(at + 1, middle))
        found = at; /* the program's name may have such a part, too */
    char *end = NULL;
    long number = found ? strtol(found + strlen(middle), &end, 10) : -1;
    return found && end != found + strlen(middle) && strcmp(end, EVIDENCE_SUFFIX) == 0 ? number : -1;
}

static const char *find_named(struct pool *pool, pid_t pid) {
    struct path_list files = {0};
    const char *newest = NULL;
    long highest = -1;
    data_dir_list(pool, DEFAULT_DATA_DIR, &files);
    for (size_t i = 0; i < files.count; i++) {
        long number = number_for(files.paths[i], pid);
        if (number > highest) {
            highest = number;
            newest = files.paths[i];
        }
    }
    return newest;
}

static const char *why_not(struct pool *pool, pid_t pid, bool forbidden) {
    if (kill(pid, 0) != 0 && errno == ESRCH)
        return pool_printf(pool, "there is no process %d", (int)pid);
    if (forbidden)
        return pool_printf(pool,
                           "may not look at process %d, and ./" DEFAULT_DATA_DIR
                           " has no evidence of it: be its user or root, or name the directory",
                           (int)pid);
    return pool_printf(pool,
                       "process %d records no evidence: start it by lockgraph run, or look at it as it is "
                       "by lockgraph inspect %d",
                       (int)pid, (int)pid);
}

const char *process_evidence(struct pool *pool, pid_t pid, const char **error) {
    const char *path = pool_printf(pool, "/proc/%d/maps", (int)pid), *found = NULL;
    FILE *maps = fopen(path, "re");
    if (maps) {
        found = find_mapped(pool, pid, maps);
        fclose(maps);
    }
    if (!found)
        found = find_named(pool, pid);
    if (!found)
        *error = why_not(pool, pid, !maps);
    return found;
}
