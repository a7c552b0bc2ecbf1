/* lg_watchdog_*, lg_heartbeat: include/lockgraph/watchdog.h. */
#include "lockgraph/watchdog.h"

#include <errno.h>
#include <stddef.h>

#include "engine/heartbeat.h"
#include "interpose/self.h"
#include "interpose/watchdog.h"

static const uint64_t millisecond = 1000000;

LGI_EXPORT int lg_watchdog_add(const char *name, uint32_t limit_ms) {
    if (name == NULL || *name == '\0' || limit_ms == 0)
        return EINVAL;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return EAGAIN;
    bool promised = lge_heartbeat_promise(thread, name, limit_ms * millisecond, LGI_SITE(), LGI_SP());
    lgi_leave(thread);
    return promised ? 0 : EALREADY;
}

__attribute__((noinline)) static void give(uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    lge_heartbeat_give(thread, site, sp);
    lgi_leave(thread);
}

LGI_EXPORT void lg_heartbeat(void) {
    struct lge_thread *block = lgi_local.block;
    if (block == NULL || lgi_local.inside || block->handlers.depth != 0)
        return;
    if (!lge_heartbeat_again(&block->heartbeat, LGI_SITE()))
        give(LGI_SITE(), LGI_SP());
}

LGI_EXPORT int lg_watchdog_remove(void) {
    struct lge_thread *thread = lgi_enter();
    bool ended = thread != NULL && lge_heartbeat_end(thread);
    if (thread != NULL)
        lgi_leave(thread);
    return ended ? 0 : ESRCH;
}

LGI_EXPORT int lg_watchdog_thread(void) {
    struct lge_thread *thread = lgi_enter();
    int error = thread == NULL ? EAGAIN : lgi_watchdog_start();
    if (thread != NULL)
        lgi_leave(thread);
    return error;
}
