#include "engine/overlong.h"

#include "engine/holders.h"
#include "engine/misuse.h"
#include "engine/semaphore.h"
#include "engine/timeline.h"
#include "platform/system.h"

static const uint64_t millisecond = 1000000;

static uint64_t limits[2]; /* by enum lgr_mode; 0: none */
static void (*on_overlong)(const struct lge_overlong *overlong);
bool lge_hold_limited;

void lge_overlong_start(const struct lge_config *config) {
    limits[LGR_EXCLUSIVE] = config->hold_limit_ns;
    limits[LGR_SHARED] = config->hold_limit_shared_ns;
    on_overlong = config->on_overlong;
    lge_hold_limited = limits[LGR_EXCLUSIVE] != 0 || limits[LGR_SHARED] != 0 || config->timeline_ns != 0;
}

static uint64_t limit_of(uint8_t mode) { return limits[mode == LGR_SHARED ? LGR_SHARED : LGR_EXCLUSIVE]; }

bool lge_hold_counts(uint8_t kind, uint64_t id) {
    enum lge_semaphore_trust trust = LGE_PERHAPS_LOCK;
    if (kind != LGR_LOCK_SEMAPHORE)
        return kind != LGR_LOCK_FILE;
    return lge_semaphore_exhaustible(id, &trust) == 1 || trust != LGE_PERHAPS_LOCK;
}

static void tell(const struct lge_overlong *overlong) {
    if (on_overlong != NULL)
        on_overlong(overlong);
}

/* ---- by its thread ---- */

static void tell_at_release(struct lge_thread *thread, const struct lge_held *held, uint64_t lasted,
                            uintptr_t site, uintptr_t sp) {
    tell(&(struct lge_overlong){.lock = held->id,
                                .address = held->address,
                                .kind = held->kind,
                                .lasted_ns = lasted,
                                .limit_ns = limit_of(held->mode),
                                .taken_at = held->site,
                                .given_up = true});
    if ((lge_held_marks(held) & LGE_HOLD_TOLD) == 0)
        lge_report_hold(thread, held, LGR_KIND_HOLD_TOO_LONG, limit_of(held->mode) / millisecond, site, sp);
}

void lge_overlong_release(struct lge_thread *thread, const void *address, uintptr_t site, uintptr_t sp) {
    const struct lge_held *held = lge_newest_hold(thread, address);
    if (held == NULL || (lge_held_marks(held) & LGE_SINCE_EXACTLY) == 0)
        return;
    uint64_t lasted = lgp_monotonic_ns() - held->since_ns;
    bool kept = lge_timeline_wants(lasted),
         too_long = limit_of(held->mode) != 0 && lasted > limit_of(held->mode);
    if (!(kept || too_long) || !lge_hold_counts(held->kind, held->id))
        return;
    if (kept)
        lge_timeline_hold(thread, held, lasted);
    if (too_long)
        tell_at_release(thread, held, lasted, site, sp);
}

/* ---- by one that waits ---- */

void lge_overlong_begin(struct lge_thread *thread) { thread->hold_due = lge_hold_limited ? 0 : UINT64_MAX; }
void lge_overlong_never(struct lge_thread *thread) { thread->hold_due = UINT64_MAX; }

static void report_for_holder(struct lge_thread *thread, const struct lge_holder *holder) {
    const struct lge_request *request = &thread->request;
    struct lge_misuse misuse = {
        .kind = LGR_KIND_HOLD_TOO_LONG,
        .lock = request->id,
        .site = request->site,
        .sp = request->sp,
        .context = request->context,
        .earlier_context = lge_holder_context(holder),
        .earlier_thread = holder->serial,
        .earlier_mode = holder->mode,
        .detail = limit_of(holder->mode) / millisecond | LGR_HOLD_GOES_ON,
        .address = request->address,
        .lock_kind = request->kind,
        .attributes = request->attributes,
    };
    lge_report_misuse(thread, &misuse);
}

/* Of several threads that wait, the first tells. */
static void tell_for_holder(struct lge_thread *thread, const struct lge_holder *holder, uint64_t lasted) {
    if (!lge_holder_mark_told(holder))
        return;
    tell(&(struct lge_overlong){.lock = holder->lock,
                                .address = holder->address,
                                .kind = holder->kind,
                                .lasted_ns = lasted,
                                .limit_ns = limit_of(holder->mode),
                                .holder = holder->tid,
                                .taken_at = holder->site});
    report_for_holder(thread, holder);
}

void lge_overlong_look(struct lge_thread *thread) {
    uint64_t now = thread->hold_due == UINT64_MAX ? 0 : lgp_monotonic_ns();
    if (now < thread->hold_due || now == 0)
        return;
    thread->hold_due = 0; /* another thread may have it the next time */
    struct lge_keepers keepers = lge_keepers_find(thread);
    const struct lge_holder *holder = &keepers.first;
    uint64_t limit = limit_of(holder->mode);
    if (keepers.count == 0 || limit == 0 || (holder->since & LGE_SINCE_EXACTLY) == 0 ||
        !lge_hold_counts(thread->request.kind, thread->request.id))
        return;
    if (now - holder->since_ns > limit && now > holder->since_ns)
        tell_for_holder(thread, holder, now - holder->since_ns);
    else
        thread->hold_due = holder->since_ns + limit + 1;
}
