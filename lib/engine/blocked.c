#include "engine/blocked.h"

#include "engine/misuse.h"
#include "engine/overlong.h"

const struct lge_held *lge_blocked_under(const struct lge_thread *thread) {
    for (const struct lge_held *held = thread->top; held > thread->base; held--)
        if (held->address != NULL && (lge_held_marks(held) & LGE_MAY_BLOCK) == 0 &&
            lge_hold_counts(held->kind, held->id))
            return held;
    return NULL;
}

void lge_blocked_allow(struct lge_thread *thread, const void *address) {
    struct lge_held *held = lge_newest_hold(thread, address);
    if (held != NULL)
        lge_held_mark(held, LGE_MAY_BLOCK);
}

void lge_blocked_report(struct lge_thread *thread, const struct lge_held *held, enum lgr_blocking kind,
                        uintptr_t site, uintptr_t sp) {
    lge_report_hold(thread, held, LGR_KIND_BLOCKED_UNDER_LOCK, kind, site, sp);
}
