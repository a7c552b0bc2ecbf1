#include "interpose/spin_misuse.h"

#include "engine/destroyed.h"
#include "engine/holders.h"
#include "engine/misuse.h"
#include "engine/side_tag.h"
#include "interpose/fork.h"
#include "interpose/lock_log.h"
#include "interpose/spin_fast.h"
#include "platform/modules.h"
#include "platform/tasks.h"

static const void *address_of(const struct lgi_spin_call *call) {
    return (const void *)(uintptr_t)call->lock;
}

static bool is_spinlock(const struct lge_holder *holder) { return holder->kind == LGR_LOCK_SPIN; }

/* Somebody whom we know; serial 0: nobody. */
static struct lge_holder holder_of(const struct lgi_spin_call *call) {
    return lge_holder_within(address_of(call), 1, is_spinlock);
}

static void report(const struct lgi_spin_call *call, enum lgr_kind kind, uint64_t id,
                   struct lge_holder earlier) {
    struct lge_misuse misuse = {.kind = kind,
                                .lock = id,
                                .site = call->site,
                                .sp = call->sp,
                                .earlier_context = earlier.context,
                                .earlier_thread = earlier.serial,
                                .address = address_of(call),
                                .lock_kind = LGR_LOCK_SPIN,
                                .attributes = lge_identity_table_shared(id) ? LGR_LOCK_PSHARED : 0};
    lge_report_misuse(call->thread, &misuse);
}

/* A forked child has the locks as its parent's threads left them. */
static bool readable(void) { return lge_hot.fast_spin && !lgi_forked(); }

/* Another process may have made a new one of it, which does not show; the attribute of
 * the old one says nothing of that. */
static void look_at_first_use(const struct lgi_spin_call *call) {
    struct lge_destroyed destroyed;
    if (!lge_destroyed_get(address_of(call), &destroyed) || destroyed.lock == 0 ||
        lgp_memory_shared(address_of(call)))
        return;
    report(call, LGR_KIND_USE_DESTROYED, destroyed.lock,
           (struct lge_holder){.serial = destroyed.thread, .context = destroyed.context});
}

/* What nobody initialised here was initialised by another process, as far as we know,
 * unless it is a static variable. */
static uint64_t identity(const struct lgi_spin_call *call) {
    const void *address = address_of(call);
    bool known = lge_identity_table_knows(address);
    uint64_t id = lge_identity_table_first_use(call->thread, address, call->site, call->sp);
    if (!known && !lgp_module_contains((uintptr_t)address))
        lge_identity_table_share(id);
    return id;
}

uint64_t lgi_spin_identity(const struct lgi_spin_call *call) {
    if (!lge_identity_table_knows(address_of(call)))
        look_at_first_use(call);
    return identity(call);
}

void lgi_spin_look_at_unlock(const struct lgi_spin_call *call) {
    if (!readable())
        return;
    if (lgi_spin_is_free(call->lock)) {
        uint64_t id = identity(call);
        report(call, LGR_KIND_UNLOCK_UNHELD, id, (struct lge_holder){0});
        lgi_log_unheld(id, address_of(call), LGR_LOCK_SPIN);
        return;
    }
    struct lge_holder holder = holder_of(call);
    if (holder.serial != 0)
        report(call, LGR_KIND_UNLOCK_FOREIGN, holder.lock, holder);
}

void lgi_spin_look_at_destroy(const struct lgi_spin_call *call, uint64_t id) {
    if (id == 0)
        return;
    lge_destroyed_put(&(struct lge_destroyed){.address = address_of(call),
                                              .lock = id,
                                              .site = call->site,
                                              .thread = lge_thread_serial(call->thread)});
    struct lge_holder waiter = lge_waiter_find(call->thread, id);
    if (waiter.serial != 0) {
        report(call, LGR_KIND_DESTROY_WAITED, id, waiter);
    } else if (readable() && !lgi_spin_is_free(call->lock)) {
        struct lge_holder holder = holder_of(call);
        if (holder.serial != 0)
            report(call, LGR_KIND_DESTROY_HELD, id, holder);
    }
}

void lgi_spin_look_at_init(const struct lgi_spin_call *call) {
    uint64_t id = lge_side_id(address_of(call));
    if (id == 0 || !readable() || lgi_spin_is_free(call->lock))
        return;
    struct lge_holder holder = holder_of(call);
    if (holder.serial != 0 && holder.lock == id)
        report(call, LGR_KIND_REINIT_HELD, id, holder);
    lge_released(call->thread, address_of(call));
}
