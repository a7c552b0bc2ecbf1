#include "program_modules.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"
#include "text.h"

extern char **environ;

void add_module(struct pool *pool, struct path_list *modules, const char *path) {
    char *real = realpath(path, NULL);
    if (real && !path_list_has(modules, real)) {
        const char **paths = pool_array(pool, modules->count + 1, sizeof *paths);
        if (modules->count)
            memcpy(paths, modules->paths, modules->count * sizeof *paths);
        paths[modules->count++] = pool_string(pool, real);
        modules->paths = paths;
    }
    free(real);
}

/* The loader's own answer: "\tlibz.so.1 => /lib/libz.so.1 (0x…)", or a path without "=>". */
static void read_listing(struct pool *pool, struct path_list *modules, FILE *listing) {
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, listing) > 0) {
        char *arrow = strstr(line, " => "), *path = arrow ? arrow + 4 : line + strspn(line, " \t");
        char *end = strstr(path, " (0x");
        if (!end || path[0] != '/')
            continue;
        *end = 0;
        add_module(pool, modules, path);
    }
    free(line);
}

static pid_t start_loader(const char *loader, const char *program, int output) {
    char *arguments[] = {(char *)(uintptr_t)loader, (char *)(uintptr_t) "--list", (char *)(uintptr_t)program,
                         NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&child, loader, &actions, NULL, arguments, environ) != 0)
        child = -1;
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

static void ask_loader(struct pool *pool, const char *loader, const char *program,
                       struct path_list *modules) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    pid_t child = start_loader(loader, program, ends[1]);
    close(ends[1]);
    FILE *listing = fdopen(ends[0], "r");
    if (listing) {
        read_listing(pool, modules, listing);
        fclose(listing);
    }
    if (child > 0)
        waitpid(child, NULL, 0);
}

void program_modules(struct pool *pool, const char *program, struct path_list *modules) {
    const char *loader = probe_loader(pool, program);
    add_module(pool, modules, program);
    if (loader)
        ask_loader(pool, loader, program, modules);
}
