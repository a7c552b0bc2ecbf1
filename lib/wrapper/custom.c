#include "wrapper/custom.h"

#include "engine/context.h"
#include "engine/holders.h"
#include "engine/identity.h"
#include "engine/lock_class.h"
#include "engine/misuse.h"
#include "engine/wait.h"
#include "interpose/fork.h"
#include "interpose/lock_log.h"
#include "interpose/on_deadlock.h"
#include "platform/modules.h"

enum { CLASS_FRAMES = 4 };

static const void *address_of(const struct lgw_custom *call) { return lgw_custom_address(call->lock); }

/* ---- which lock ---- */

static uint32_t class_of_variable(const struct lgw_custom *call) {
    uintptr_t address = (uintptr_t)call->lock;
    return lgp_module_contains(address) ? lge_class_static_first(address) : LGE_CLASS_NONE;
}

static uint32_t place_of(const struct lgw_custom *call) {
    return lge_context_head(lge_context_capture(call->thread, call->site, call->sp), CLASS_FRAMES);
}

/* One that was not announced is known by its first use. */
static uint64_t identity(const struct lgw_custom *call) {
    uint64_t id = lge_identity_table_known(address_of(call));
    if (id != 0)
        return id;
    uint32_t class_id = class_of_variable(call);
    if (class_id == LGE_CLASS_NONE)
        class_id = lge_class_guessed(place_of(call));
    return lge_identity_table_declared(call->thread, address_of(call), class_id);
}

/* The program alone knows whether a holder may have it again: so it may. */
static struct lge_request request_of(const struct lgw_custom *call) {
    return (struct lge_request){
        .address = address_of(call),
        .id = identity(call),
        .site = call->site,
        .sp = call->sp,
        .context = lge_context_at_site(call->thread, call->site, call->sp),
        .mode = call->shared ? LGR_SHARED : LGR_EXCLUSIVE,
        .kind = LGR_LOCK_CUSTOM,
        .flags = LGE_RECURSIVE,
    };
}

/* ---- misuse ---- */

static bool is_custom(const struct lge_holder *holder) { return holder->kind == LGR_LOCK_CUSTOM; }

static struct lge_holder holder_of(const struct lgw_custom *call) {
    return lge_holder_within(address_of(call), 1, is_custom);
}

static void report(const struct lgw_custom *call, enum lgr_kind kind, uint64_t id,
                   const struct lge_holder *earlier) {
    struct lge_misuse misuse = {.kind = kind,
                                .lock = id,
                                .site = call->site,
                                .sp = call->sp,
                                .earlier_context = earlier->context,
                                .earlier_thread = earlier->serial,
                                .address = address_of(call),
                                .lock_kind = LGR_LOCK_CUSTOM};
    lge_report_misuse(call->thread, &misuse);
}

/* A forked child has the holds that its parent's threads had; of a lock that was
 * never seen nothing can be said. */
static void look_at_release(const struct lgw_custom *call) {
    uint64_t id = lge_identity_table_known(address_of(call));
    if (id == 0 || lgi_forked())
        return;
    struct lge_holder holder = holder_of(call);
    report(call, holder.serial != 0 ? LGR_KIND_UNLOCK_FOREIGN : LGR_KIND_UNLOCK_UNHELD, id, &holder);
    if (holder.serial == 0)
        lgi_log_unheld(id, address_of(call), LGR_LOCK_CUSTOM);
}

/* ---- events ---- */

static void forget(const struct lgw_custom *call) {
    uint64_t id = lge_identity_table_forget(address_of(call));
    if (id != 0)
        lge_lock_destroyed(id);
    while (lge_released(call->thread, address_of(call)))
        continue;
}

void lgw_custom_created(const struct lgw_custom *call, const char *name) {
    forget(call);
    uint32_t class_id = name != NULL ? lge_class_named(name) : class_of_variable(call);
    if (class_id == LGE_CLASS_NONE)
        class_id = lge_class_initialised_at(place_of(call));
    lge_identity_table_declared(call->thread, address_of(call), class_id);
}

void lgw_custom_destroyed(const struct lgw_custom *call) {
    struct lge_holder holder = holder_of(call);
    uint64_t id = lge_identity_table_known(address_of(call));
    if (id != 0 && holder.lock == id && !lgi_forked())
        report(call, LGR_KIND_DESTROY_HELD, id, &holder);
    forget(call);
}

void lgw_custom_acquiring(const struct lgw_custom *call) {
    struct lge_request request = request_of(call);
    lge_check(call->thread, &request);
}

void lgw_custom_blocking(const struct lgw_custom *call) {
    struct lge_request request = request_of(call);
    if (lge_wait_in_kernel(call->thread, &request))
        lgi_on_deadlock();
}

void lgw_custom_acquired(const struct lgw_custom *call) {
    struct lge_request request = request_of(call);
    lge_wait_end(call->thread);
    lge_acquired(call->thread, &request);
}

void lgw_custom_failed(const struct lgw_custom *call) { lge_wait_end(call->thread); }

void lgw_custom_released(const struct lgw_custom *call) {
    if (!lge_released(call->thread, address_of(call)))
        look_at_release(call);
}
