/* Where symbolisation looks for modules, debug information and sources, as the options
 * say that all commands share which tell of code. */
#ifndef LOCKGRAPH_COMMAND_SYMBOL_PATHS_H
#define LOCKGRAPH_COMMAND_SYMBOL_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"

struct symbol_paths {
    char *sysroot; /* absolute; NULL: modules are where they were recorded */
    struct symbol_path_list {
        size_t count;
        char **list;
    } debug_dirs,        /* absolute, looked into before /usr/lib/debug */
        source_dirs,     /* absolute, looked into before a file's own place */
        source_prefixes; /* left out of names of source files; without a final slash */
};

extern const struct command_option symbol_path_options[]; /* ends with {0} */

/* As command.apply, for those options. */
bool symbol_paths_apply(struct symbol_paths *paths, const struct command_option *option, const char *value,
                        char *error);
void symbol_paths_free(struct symbol_paths *paths);

#endif
