#include "engine/blocked.h"

#include "engine/context.h"
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
    struct lge_held *held = thread->top;
    while (held != thread->base && held->address != address)
        held--;
    if (held != thread->base)
        lge_held_mark(held, LGE_MAY_BLOCK);
}

void lge_blocked_report(struct lge_thread *thread, const struct lge_held *held, enum lgr_blocking kind,
                        uintptr_t site, uintptr_t sp) {
    uint32_t context = lge_context_resolve(thread, site, sp);
    struct lge_misuse misuse = {
        .kind = LGR_KIND_BLOCKED_UNDER_LOCK,
        .lock = held->id,
        .context = context,
        .earlier_context = held->context,
        .earlier_mode = held->mode,
        .detail = kind,
        .address = held->address,
        .lock_kind = held->kind,
        .attributes = held->attributes & LGE_HELD_LOCKS_OWN,
    };
    lge_report_misuse(thread, &misuse);
}
