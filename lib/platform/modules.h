/* Which ELF object an address belongs to, without taking the loader's lock
 * (glibc's _dl_find_object where present, /proc/self/maps read by raw system
 * calls elsewhere): dl_iterate_phdr and dladdr can hang against a program that
 * holds a lock its own callback wants. */
#ifndef LOCKGRAPH_PLATFORM_MODULES_H
#define LOCKGRAPH_PLATFORM_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lgp_module {
    uintptr_t start, end; /* mapped range */
    uintptr_t bias;       /* runtime address minus ELF virtual address */
    const char *path;     /* "" for the main program: use /proc/self/exe */
    const uint8_t *build_id;
    size_t build_id_length;
};

/* Resolves what it needs once; call from the constructor. */
void lgp_modules_start(void);
/* Something was unloaded: what is remembered of where things are is not true any
 * more. */
void lgp_modules_changed(void);
/* Any address within an object's mapping, code or data.  False: none.  path
 * and build_id point into the loader's and the object's own memory: copy at
 * once. */
bool lgp_module_find(uintptr_t address, struct lgp_module *module);
/* True when `address` lies in a loaded object (static storage); about 20 ns. */
bool lgp_module_contains(uintptr_t address);

/* In a forked child, before any of the above. */
void lgp_modules_after_fork(void);

#endif
