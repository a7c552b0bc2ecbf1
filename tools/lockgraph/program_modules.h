/* The program and the shared libraries it will run with, before it is run. */
#ifndef LOCKGRAPH_COMMAND_PROGRAM_MODULES_H
#define LOCKGRAPH_COMMAND_PROGRAM_MODULES_H

#include "data_dir.h"
#include "pool.h"

/* Adds the absolute path of each, the program first: as its loader finds them, with the
 * environment that there is. */
void program_modules(struct pool *pool, const char *program, struct path_list *modules);
/* Adds a file unless it is there. */
void add_module(struct pool *pool, struct path_list *modules, const char *path);

#endif
