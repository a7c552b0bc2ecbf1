/* Locks of the program's own making, as it announces them: one event each, of a thread
 * that has entered the runtime, at (site, sp). */
#ifndef LOCKGRAPH_WRAPPER_CUSTOM_H
#define LOCKGRAPH_WRAPPER_CUSTOM_H

#include "interpose/self.h"

struct lgw_custom {
    struct lge_thread *thread;
    const volatile void *lock; /* the program's address of it */
    uintptr_t site, sp;
    bool shared;
};

/* The address by which the runtime knows it: engine.h. */
static inline const void *lgw_custom_address(const volatile void *lock) {
    return (const void *)((uintptr_t)lock | LGE_CUSTOM_ADDRESS);
}
/* `name` may be NULL. */
void lgw_custom_created(const struct lgw_custom *call, const char *name);
void lgw_custom_destroyed(const struct lgw_custom *call);
void lgw_custom_acquiring(const struct lgw_custom *call);
void lgw_custom_blocking(const struct lgw_custom *call);
void lgw_custom_acquired(const struct lgw_custom *call);
void lgw_custom_failed(const struct lgw_custom *call);
void lgw_custom_released(const struct lgw_custom *call);

#endif
