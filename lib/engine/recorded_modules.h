/* ELF objects named in the evidence file, and addresses as (module, offset).
 *
 * An object may be unloaded, and another one loaded where it was.  So an address
 * means something only together with when it was seen: the epoch counts the
 * unloadings.  Addresses must have been asked for before their object is
 * unloaded (lge_modules_unloading sees to that).  Any thread; a lock of its own,
 * inner to all but the writer's. */
#ifndef LOCKGRAPH_ENGINE_RECORDED_MODULES_H
#define LOCKGRAPH_ENGINE_RECORDED_MODULES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "record/format.h"

/* Relaxed: who sees an unloading late could as well have come before it. */
extern _Atomic uint32_t lge_modules_epoch;

/* Where an address lay in that epoch; writes the module's record the first time. */
struct lgr_location lge_recorded_location(uintptr_t address, uint32_t epoch);
/* The number that the order file's table has for the object there now, 0 for none, and
 * the offset in it; once there is an order. */
uint32_t lge_recorded_module_declared(uintptr_t address, uint64_t *offset);
/* Notes which of them are not there any more.  False: all are. */
bool lge_recorded_modules_unloaded(void);
/* Whether what lay at all of these addresses in that epoch does so now. */
bool lge_recorded_modules_same(const uintptr_t *addresses, size_t count, uint32_t epoch);
/* By the only thread there is. */
void lge_recorded_modules_new_file(void);

struct lge_module_name {
    char text[256]; /* without its directory; "" for the main program */
    uintptr_t offset;
};
/* Where an address lies now.  False: in no object. */
bool lge_recorded_modules_name(uintptr_t address, struct lge_module_name *name);

/* Around each dlclose.  `wait`: until nobody looks at what may go directly; without,
 * from within the runtime, async-signal-safe. */
void lge_recorded_modules_may_go(bool wait);
void lge_recorded_modules_stay(void);

#endif
