/* What a program is, as far as it decides whether it can be observed. */
#ifndef LOCKGRAPH_COMMAND_PROBE_H
#define LOCKGRAPH_COMMAND_PROBE_H

#include "pool.h"

struct probe {
    const char *path;      /* found in PATH; NULL: not found */
    const char *blind;     /* why the runtime cannot get in, one clause; NULL: it can */
    const char *sanitizer; /* SONAME of a sanitizer runtime it is linked with, to be loaded first; NULL */
};

/* Follows "#!" to the interpreter. */
struct probe probe_program(struct pool *pool, const char *command);
/* The loader that an ELF program asks for; NULL: none, or no such program. */
const char *probe_loader(struct pool *pool, const char *path);

#endif
