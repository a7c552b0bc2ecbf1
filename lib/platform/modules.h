/* Which ELF object an address belongs to, without taking the loader's lock
 * (glibc's _dl_find_object where present, /proc/self/maps read by raw system
 * calls elsewhere): dl_iterate_phdr and dladdr can hang against a program that
 * holds a lock its own callback wants. */
#ifndef LOCKGRAPH_PLATFORM_MODULES_H
#define LOCKGRAPH_PLATFORM_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LGP_BUILD_ID = 64 }; /* bytes of the longest that is kept; a usual one has 20 */

struct lgp_module {
    uintptr_t start, end; /* mapped range */
    uintptr_t bias;       /* runtime address minus ELF virtual address */
    const char *path;     /* "" for the main program: use /proc/self/exe */
    uint8_t build_id[LGP_BUILD_ID];
    size_t build_id_length;
};

/* Where lgp_module_look copies to: the caller's, valid as long as the module is used. */
struct lgp_module_room {
    _Alignas(16) uint8_t page[4096];
    char path[4096];
};

/* Resolves what it needs once; call from the constructor. */
void lgp_modules_start(void);
/* Something was unloaded: what is remembered of where things are is not true any
 * more. */
void lgp_modules_changed(void);
/* Of code that cannot be unloaded meanwhile, such as what the calling thread will
 * return to: without a system call, and without the build id.  False: none.  path
 * is the loader's own memory. */
bool lgp_module_find(uintptr_t address, struct lgp_module *module);
/* Of any address, code or data, copied to `room`.  `may_go`: another thread may be
 * unloading what is there; everything is then read by system calls, of a kind that
 * a sandbox may end the program for.  False: none, or going. */
bool lgp_module_look(uintptr_t address, struct lgp_module *module, struct lgp_module_room *room, bool may_go);
/* True when `address` lies in a loaded object (static storage); about 20 ns. */
bool lgp_module_contains(uintptr_t address);

/* In a forked child, before any of the above. */
void lgp_modules_after_fork(void);

#endif
