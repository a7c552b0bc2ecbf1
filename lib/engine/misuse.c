#include "engine/misuse.h"

#include "engine/context.h"
#include "engine/finding.h"
#include "engine/graph.h"
#include "engine/mix.h"
#include "engine/thread.h"
#include "platform/memory.h"

bool lge_misuse_wanted(enum lgr_kind kind) { return lge_kind_wanted(kind); }

enum lgr_severity lge_kind_severity(enum lgr_kind kind) {
    switch (kind) {
    case LGR_KIND_WAIT_TIMEOUT:
    case LGR_KIND_HOLD_TOO_LONG:
    case LGR_KIND_BLOCKED_UNDER_LOCK:
    case LGR_KIND_HEARTBEAT_MISSED:
    case LGR_KIND_CANCEL_UNSAFE:
    case LGR_KIND_API_ERROR:
    case LGR_KIND_COND_WAIT_HOLDING:
    case LGR_KIND_FORK_HELD:
        return LGR_WARNING;
    default:
        return LGR_ERROR;
    }
}

/* ---- what makes it the same ---- */

static uint64_t place_of(uint32_t context_id) {
    const struct lge_context *context = lge_context_get(context_id);
    return context == NULL ? 0 : context->frames[0];
}

static uint64_t identity(const struct lge_misuse *misuse, uint32_t context) {
    uint64_t classes = lge_mix(lge_lock_class(misuse->lock), lge_lock_class(misuse->other));
    uint64_t places = lge_mix(place_of(context), place_of(misuse->earlier_context));
    return lge_mix(lge_mix(classes, places), lge_mix(misuse->kind, misuse->detail));
}

/* ---- the report ---- */

/* Where there is nothing to unwind from (a handler that came in the middle of
 * things), the holds keep what they have. */
static uint32_t resolve(struct lge_thread *thread, const struct lge_misuse *misuse) {
    uint32_t context = misuse->context;
    if (misuse->site != 0) {
        uint32_t found = lge_context_resolve(thread, misuse->site, misuse->sp);
        context = context != 0 ? context : found;
    }
    return context;
}

/* Its locks need records, or their names would be lost.  An entry that a signal
 * handler interrupted says nothing yet. */
static uint32_t copy_held(const struct lge_thread *thread, struct lgr_held *held) {
    uint32_t count = 0;
    for (const struct lge_held *at = thread->base + 1; at <= thread->top; at++) {
        if (at->address == NULL)
            continue;
        lge_lock_obtain_held(at);
        held[count++] = (struct lgr_held){at->id, at->context, at->mode};
    }
    return count;
}

static void obtain_record(const struct lge_misuse *misuse) {
    if (misuse->lock == 0 || misuse->address == NULL)
        return;
    struct lge_request request = {.address = misuse->address,
                                  .id = misuse->lock,
                                  .kind = misuse->lock_kind,
                                  .attributes = misuse->attributes};
    lge_lock_obtain(&request);
}

/* Whether what the other thread did was to take the lock, so that it has it. */
static bool other_holds(enum lgr_kind kind) {
    switch (kind) {
    case LGR_KIND_USE_DESTROYED:
    case LGR_KIND_UNLOCK_UNHELD:
    case LGR_KIND_WRONG_TYPE:
    case LGR_KIND_COND_TWO_MUTEXES:
    case LGR_KIND_COND_DESTROY_WAITED:
    case LGR_KIND_DESTROY_WAITED:
    case LGR_KIND_SEM_MISUSE:
        return false;
    default:
        return true;
    }
}

static void report(const struct lge_thread *thread, const struct lge_misuse *misuse, uint32_t context,
                   const struct lgr_held *held, uint32_t held_count) {
    struct lgr_held theirs = {misuse->lock, misuse->earlier_context, misuse->earlier_mode};
    uint32_t serial = lge_thread_serial(thread), class = lge_lock_class(misuse->lock);
    struct lge_finding_edge edges[2] = {{
                                            .from = misuse->lock,
                                            .to = misuse->other,
                                            .from_class = class,
                                            .to_class = lge_lock_class(misuse->other),
                                            .thread = serial,
                                            .held_context = misuse->earlier_context,
                                            .request_context = context,
                                            .held_count = held_count,
                                            .held = held,
                                        },
                                        {
                                            .from = misuse->lock,
                                            .from_class = class,
                                            .thread = misuse->earlier_thread,
                                            .held_context = misuse->earlier_context,
                                            .held_count = misuse->lock != 0 && other_holds(misuse->kind),
                                            .held = &theirs,
                                        }};
    bool another = misuse->earlier_thread != 0 && misuse->earlier_thread != serial;
    struct lge_finding finding = {
        .kind = misuse->kind,
        .severity = (enum lgr_severity)misuse->severity,
        .reason_kind = misuse->detail != 0 ? LGR_REASON_DETAIL : LGR_REASON_NONE,
        .reason_id = misuse->detail,
        .edge_count = another ? 2 : 1,
        .edges = edges,
        .text = misuse->text,
    };
    lge_report_misuse_finding(&finding, identity(misuse, context));
}

void lge_report_misuse(struct lge_thread *thread, const struct lge_misuse *misuse) {
    if (!lge_kind_wanted(misuse->kind))
        return;
    uint32_t context = resolve(thread, misuse);
    size_t room = (lge_depth(thread) + 1) * sizeof(struct lgr_held);
    struct lgr_held *held = lgp_alloc(room);
    if (held == NULL)
        return;
    lge_graph_lock();
    lge_table_lock();
    uint32_t count = copy_held(thread, held);
    obtain_record(misuse);
    lge_table_unlock();
    report(thread, misuse, context, held, count);
    lge_graph_unlock();
    lgp_free(held, room);
}

/* Where it was taken is known once the call's stack is. */
void lge_report_hold(struct lge_thread *thread, const struct lge_held *held, enum lgr_kind kind,
                     uint64_t detail, uintptr_t site, uintptr_t sp) {
    uint32_t context = lge_context_resolve(thread, site, sp);
    struct lge_misuse misuse = {
        .kind = kind,
        .lock = held->id,
        .context = context,
        .earlier_context = held->context,
        .earlier_mode = held->mode,
        .detail = detail,
        .address = held->address,
        .lock_kind = held->kind,
        .attributes = held->attributes & LGE_HELD_LOCKS_OWN,
    };
    lge_report_misuse(thread, &misuse);
}
