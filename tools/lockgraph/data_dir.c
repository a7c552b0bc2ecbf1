#include "data_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool is_evidence_name(const char *name) {
    size_t length = strlen(name), tail = strlen(EVIDENCE_SUFFIX);
    return length > tail && strcmp(name + length - tail, EVIDENCE_SUFFIX) == 0;
}

static bool is_dots(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

enum content { ABSENT, EMPTY, EVIDENCE, OTHER };

static enum content content_of(const char *directory) {
    struct stat status;
    if (lstat(directory, &status) != 0)
        return errno == ENOENT ? ABSENT : OTHER;
    DIR *stream = S_ISDIR(status.st_mode) ? opendir(directory) : NULL;
    if (!stream)
        return OTHER;
    enum content content = EMPTY;
    for (struct dirent *entry; content != OTHER && (entry = readdir(stream));)
        if (!is_dots(entry->d_name))
            content = is_evidence_name(entry->d_name) ? EVIDENCE : OTHER;
    closedir(stream);
    return content;
}

/* Removes a directory that holds nothing but evidence. */
static bool remove_evidence(const char *directory) {
    DIR *stream = opendir(directory);
    if (!stream)
        return false;
    for (struct dirent *entry; (entry = readdir(stream));)
        if (is_evidence_name(entry->d_name))
            unlinkat(dirfd(stream), entry->d_name, 0);
    closedir(stream);
    return rmdir(directory) == 0;
}

static const char *without_slashes(struct pool *pool, const char *directory) {
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/')
        length--;
    return pool_string_n(pool, directory, length);
}

static bool move_away(struct pool *pool, const char *directory, const char **error) {
    const char *old = pool_printf(pool, "%s.old", directory);
    enum content content = content_of(old);
    if (content == OTHER) {
        *error = pool_printf(pool, "%s is in the way and is not evidence: move it, or use --append", old);
        return false;
    }
    if ((content != ABSENT && !remove_evidence(old)) || rename(directory, old) != 0) {
        *error = pool_printf(pool, "cannot move %s to %s: %s", directory, old, strerror(errno));
        return false;
    }
    return true;
}

static bool make_room(struct pool *pool, const char *directory, bool append, const char **error) {
    enum content content = content_of(directory);
    if (content == EVIDENCE && !append)
        return move_away(pool, directory, error);
    struct stat status;
    bool usable = stat(directory, &status) == 0 && S_ISDIR(status.st_mode);
    if (content == OTHER && !(append && usable)) {
        *error = pool_printf(
            pool, "%s holds something that is not evidence: choose another directory with -o", directory);
        return false;
    }
    return true;
}

const char *data_dir_prepare(struct pool *pool, const char *given, bool append, const char **error) {
    const char *directory = without_slashes(pool, given);
    if (!make_room(pool, directory, append, error))
        return NULL;
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        *error = pool_printf(pool, "cannot make %s: %s", directory, strerror(errno));
        return NULL;
    }
    char *absolute = realpath(directory, NULL);
    if (!absolute) {
        *error = pool_printf(pool, "cannot use %s: %s", directory, strerror(errno));
        return NULL;
    }
    const char *result = pool_string(pool, absolute);
    free(absolute);
    return result;
}

bool path_list_has(const struct path_list *list, const char *path) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->paths[i], path) == 0)
            return true;
    return false;
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool data_dir_list(struct pool *pool, const char *directory, struct path_list *list) {
    const char **paths = NULL;
    size_t count = 0;
    DIR *stream = opendir(directory);
    *list = (struct path_list){0};
    if (!stream)
        return false;
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (!is_evidence_name(entry->d_name))
            continue;
        paths = checked_resize(paths, count + 1, sizeof *paths);
        paths[count++] = pool_printf(pool, "%s/%s", directory, entry->d_name);
    }
    closedir(stream);
    if (count)
        qsort(paths, count, sizeof *paths, compare_paths);
    list->paths = pool_array(pool, count, sizeof *paths);
    list->count = count;
    if (count)
        memcpy(list->paths, paths, count * sizeof *paths);
    free(paths);
    return true;
}
