#include "process_evidence.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data_dir.h"
#include "mapped_file.h"
#include "symbols.h"

/* A file without a name at first (O_TMPFILE) stays so in proc(5): "DIR/#4711 (deleted)".
 * What it is called now tells its directory.  Inodes of other devices may have its number. */
static const char *name_of(struct pool *pool, const char *directory, const struct mapped_file *wanted) {
    struct path_list files;
    struct stat status;
    struct mapped_file file;
    if (!data_dir_list(pool, directory, &files))
        return NULL;
    for (size_t i = 0; i < files.count; i++)
        if (lstat(files.paths[i], &status) == 0 && status.st_ino == wanted->inode &&
            (!mapped_file_of(files.paths[i], &file) || mapped_file_same(&file, wanted)))
            return files.paths[i];
    return NULL;
}

static const char *directory_of(struct pool *pool, const char *path) {
    const char *last = strrchr(path, '/');
    return pool_string_n(pool, path, last == path ? 1 : (size_t)(last - path));
}

/* Through its own root, where it has another one: a container. */
static const char *find_mapped(struct pool *pool, pid_t pid, FILE *maps) {
    const char *found = NULL;
    char *line = NULL;
    size_t size = 0;
    struct mapped_file file;
    while (!found && getline(&line, &size, maps) > 0) {
        if (!mapped_file_parse(line, &file) || !file.shared)
            continue;
        const char *directory = directory_of(pool, file.path);
        found = name_of(pool, directory, &file);
        if (!found)
            found = name_of(pool, pool_printf(pool, "/proc/%d/root%s", (int)pid, directory), &file);
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
