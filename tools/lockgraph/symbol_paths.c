#include "symbol_paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pool.h"

const struct command_option symbol_path_options[] = {
    {"source-dir", 0, "DIR", "look for moved sources below DIR (may be repeated)"},
    {"strip-prefix", 0, "PREFIX", "leave the directory PREFIX out of names of sources (may be repeated)"},
    {"debug-dir", 0, "DIR", "look for debug files in DIR, too: DIR/.build-id/… (may be repeated)"},
    {"sysroot", 0, "DIR", "look for programs and libraries below DIR, as those of a container"},
    {0},
};

static void add(struct symbol_path_list *list, char *path) {
    list->list = checked_resize(list->list, list->count + 1, sizeof *list->list);
    list->list[list->count++] = path;
}

/* Absolute; NULL with `error` set when there is no such directory. */
static char *directory(const char *value, char *error) {
    char *path = realpath(value, NULL);
    struct stat status;
    if (path && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return path;
    snprintf(error, 256, "%.180s: %s; name a directory", value, path ? "it is none" : strerror(errno));
    free(path);
    return NULL;
}

static bool add_prefix(struct symbol_path_list *list, const char *value, char *error) {
    size_t length = strlen(value);
    while (length && value[length - 1] == '/')
        length--;
    snprintf(error, 256, "name the directory that file names begin with, like /build/app");
    if (length == 0)
        return false;
    char *prefix = checked_resize(NULL, length + 1, 1);
    memcpy(prefix, value, length);
    prefix[length] = 0;
    add(list, prefix);
    return true;
}

static bool add_debug_dir(struct symbol_path_list *list, char *path, char *error) {
    if (strchr(path, ':')) { /* which libdw takes for the end of it */
        snprintf(error, 256, "a directory with ':' in its name cannot be searched");
        free(path);
        return false;
    }
    add(list, path);
    return true;
}

bool symbol_paths_apply(struct symbol_paths *paths, const struct command_option *option, const char *value,
                        char *error) {
    if (strcmp(option->name, "strip-prefix") == 0)
        return add_prefix(&paths->source_prefixes, value, error);
    char *path = directory(value, error);
    if (!path)
        return false;
    if (strcmp(option->name, "debug-dir") == 0)
        return add_debug_dir(&paths->debug_dirs, path, error);
    if (strcmp(option->name, "source-dir") == 0) {
        add(&paths->source_dirs, path);
        return true;
    }
    free(paths->sysroot);
    paths->sysroot = path;
    return true;
}

static void free_list(struct symbol_path_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->list[i]);
    free(list->list);
}

void symbol_paths_free(struct symbol_paths *paths) {
    free(paths->sysroot);
    free_list(&paths->debug_dirs);
    free_list(&paths->source_dirs);
    free_list(&paths->source_prefixes);
}
