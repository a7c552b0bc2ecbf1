#include "wrapper/pin.h"

#include "engine/context.h"
#include "engine/misuse.h"
#include "interpose/self.h"
#include "wrapper/call.h"

static int set_pin(const lg_mutex_t *m, bool pinned) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return EAGAIN;
    struct lge_held *held = lge_newest_hold(thread, &m->mutex);
    if (held != NULL && pinned)
        __atomic_fetch_or(&held->marks, (uint8_t)LGE_PINNED, __ATOMIC_RELAXED);
    else if (held != NULL)
        __atomic_fetch_and(&held->marks, (uint8_t)~LGE_PINNED, __ATOMIC_RELAXED);
    lgi_leave(thread);
    return held == NULL ? EPERM : 0;
}

LGI_EXPORT int lg_mutex_pin(lg_mutex_t *m) { return set_pin(m, true); }
LGI_EXPORT int lg_mutex_unpin(lg_mutex_t *m) { return set_pin(m, false); }

static void report(struct lge_thread *thread, const struct lge_held *held, uintptr_t site, uintptr_t sp) {
    uint32_t context = lge_context_resolve(thread, site, sp);
    lge_report_misuse(thread, &(struct lge_misuse){.kind = LGR_KIND_ASSERT_FAILED,
                                                   .lock = held->id,
                                                   .context = context,
                                                   .earlier_context = held->context,
                                                   .detail = LGR_ASSERT_PINNED});
}

int lgw_unpinned(const lg_mutex_t *m, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_local.block;
    const struct lge_held *held = thread == NULL ? NULL : lge_newest_hold(thread, &m->mutex);
    if (held == NULL || (lge_held_marks(held) & LGE_PINNED) == 0 || lgi_enter() == NULL)
        return 0;
    report(thread, held, site, sp);
    bool refused = lgw_refuses(thread, &m->declared);
    lgi_leave(thread);
    return refused ? EBUSY : 0;
}
