/* The file of a module on this machine. */
#ifndef LOCKGRAPH_COMMAND_MODULE_FILE_H
#define LOCKGRAPH_COMMAND_MODULE_FILE_H

#include "pool.h"
#include "symbol_paths.h"

/* A descriptor of the file that was recorded as `path`, below the sysroot where there is one:
 * its symbolic links then stay below it.  -1: none, or no regular file, which opening could
 * hang on.  `found` becomes the file's path. */
int module_file_open(struct pool *pool, const struct symbol_paths *paths, const char *path,
                     const char **found);

/* `path` below `root`, link by link, where the kernel does not do that: for module_file_open and
 * its test.  Who changes links meanwhile may lead elsewhere. */
int module_file_open_by_steps(struct pool *pool, const char *root, const char *path);

#endif
