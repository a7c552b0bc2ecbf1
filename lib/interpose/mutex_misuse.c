#include "interpose/mutex_misuse.h"

#include <errno.h>
#include <string.h>

#include "engine/context.h"
#include "engine/destroyed.h"
#include "engine/holders.h"
#include "engine/misuse.h"
#include "engine/outside.h"
#include "interpose/fork.h"
#include "interpose/lock_log.h"
#include "interpose/mutex_kind.h"
#include "platform/modules.h"

static struct lge_misuse misuse_of(enum lgr_kind kind, const pthread_mutex_t *mutex, uint64_t id,
                                   uintptr_t site, uintptr_t sp) {
    return (struct lge_misuse){.kind = kind,
                               .lock = id,
                               .site = site,
                               .sp = sp,
                               .address = mutex,
                               .lock_kind = LGR_LOCK_MUTEX,
                               .attributes = lgi_mutex_attributes(mutex)};
}

/* The owner that the mutex names.  Where other processes see it, that may be one of
 * their threads, whose id a thread of ours has, too: only one that has it counts. */
static struct lge_holder holder_of(const pthread_mutex_t *mutex, uint32_t owner) {
    struct lge_holder holder = lge_holder_find(owner, mutex);
    if (holder.lock == 0 && lge_maybe_outside(lgi_mutex_attributes(mutex)))
        return (struct lge_holder){0};
    return holder;
}

static void report_held(struct lge_thread *thread, struct lge_misuse misuse, struct lge_holder holder) {
    misuse.earlier_context = holder.context;
    misuse.earlier_thread = holder.serial;
    lge_report_misuse(thread, &misuse);
}

/* In a forked child the owner field of a mutex names a thread of the parent's,
 * which may be the one that forked: then nothing can be said. */
static bool nameless(struct lge_holder holder) { return holder.serial == 0 && lgi_forked(); }

/* ---- use ---- */

/* An identity for something that has none: nothing is written down for it. */
static uint64_t stranger(struct lge_thread *thread, const void *address, uintptr_t site, uintptr_t sp) {
    uintptr_t variable = (uintptr_t)address;
    return lge_lock_id_new(thread, lgp_module_contains(variable)
                                       ? lge_class_static(variable)
                                       : lge_class_guessed(lge_context_capture(thread, site, sp)));
}

static void report_destroyed(struct lge_thread *thread, const pthread_mutex_t *mutex,
                             const struct lge_destroyed *destroyed, uintptr_t site, uintptr_t sp) {
    struct lge_misuse misuse = misuse_of(LGR_KIND_USE_DESTROYED, mutex, destroyed->lock, site, sp);
    misuse.attributes = 0; /* gone with its kind */
    if (misuse.lock == 0)  /* never used before it was destroyed */
        misuse.lock = stranger(thread, mutex, site, sp);
    misuse.earlier_context = destroyed->context;
    misuse.earlier_thread = destroyed->thread;
    lge_report_misuse(thread, &misuse);
}

bool lgi_mutex_usable(struct lge_thread *thread, const pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp) {
    int kind = lgi_kind_of(mutex);
    if ((kind & ~LGI_KIND_BITS) == 0)
        return true;
    struct lge_destroyed destroyed;
    if (kind == LGI_KIND_DESTROYED && lge_destroyed_get(mutex, &destroyed)) {
        report_destroyed(thread, mutex, &destroyed, site, sp);
        return false;
    }
    struct lge_misuse misuse = misuse_of(LGR_KIND_WRONG_TYPE, mutex, 0, site, sp);
    misuse.lock = stranger(thread, mutex, site, sp);
    misuse.attributes = 0;
    lge_report_misuse(thread, &misuse);
    return false;
}

void lgi_mutex_look_at_unlock(struct lge_thread *thread, pthread_mutex_t *mutex, uintptr_t site,
                              uintptr_t sp) {
    struct lgi_mutex_state state = lgi_mutex_state(mutex);
    if (state.owner == lge_thread_tid(thread) || (lgi_kind_of(mutex) & LGI_ELISION))
        return;
    struct lge_holder holder = holder_of(mutex, state.owner);
    if (state.locked && nameless(holder))
        return;
    enum lgr_kind kind = state.locked ? LGR_KIND_UNLOCK_FOREIGN : LGR_KIND_UNLOCK_UNHELD;
    uint64_t id = lgi_mutex_identity(thread, mutex, site, sp);
    report_held(thread, misuse_of(kind, mutex, id, site, sp), holder);
    if (kind == LGR_KIND_UNLOCK_UNHELD)
        lgi_log_unheld(id, mutex, LGR_LOCK_MUTEX);
}

/* ---- destruction ---- */

void lgi_mutex_look_at_destroy(struct lge_thread *thread, pthread_mutex_t *mutex, uint64_t id, uintptr_t site,
                               uintptr_t sp) {
    struct lgi_mutex_state state = lgi_mutex_state(mutex);
    if (id == 0 || state.locked == 0 || (lgi_kind_of(mutex) & LGI_ELISION))
        return;
    struct lge_holder waiter = lge_waiter_find(thread, id);
    if (waiter.serial != 0) {
        report_held(thread, misuse_of(LGR_KIND_DESTROY_WAITED, mutex, id, site, sp), waiter);
        return;
    }
    struct lge_holder holder = holder_of(mutex, state.owner);
    if (state.owner != 0 && !nameless(holder))
        report_held(thread, misuse_of(LGR_KIND_DESTROY_HELD, mutex, id, site, sp), holder);
}

/* ---- initialisation, and memory that was used before ---- */

enum { MUTEX_SIZE = sizeof(pthread_mutex_t) };

/* Another lock of the thread's own that began within this one's memory. */
static const struct lge_held *buried(const struct lge_thread *thread, const void *address, uint64_t id) {
    for (const struct lge_held *held = thread->top; held > thread->base; held--)
        if ((uintptr_t)held->address - (uintptr_t)address < MUTEX_SIZE && held->id != id &&
            held->kind == LGR_LOCK_MUTEX)
            return held;
    return NULL;
}

static void report_buried(struct lge_thread *thread, const struct lge_held *held, uint64_t id, uintptr_t site,
                          uintptr_t sp) {
    lge_context_resolve(thread, site, sp);
    struct lge_misuse misuse = {.kind = LGR_KIND_FREE_HELD,
                                .lock = held->id,
                                .other = id,
                                .site = site,
                                .sp = sp,
                                .earlier_context = held->context,
                                .earlier_thread = lge_thread_serial(thread)};
    lge_report_misuse(thread, &misuse);
    lge_released(thread, held->address);
}

void lgi_mutex_look_at_lock(struct lge_thread *thread, const struct lge_request *request) {
    if (thread->top->id == request->id) /* once more: looked at the first time */
        return;
    const struct lge_held *held = buried(thread, request->address, request->id);
    if (held != NULL)
        report_buried(thread, held, request->id, request->site, request->sp);
}

void lgi_mutex_look_at_init(struct lge_thread *thread, pthread_mutex_t *mutex, uintptr_t site, uintptr_t sp) {
    uint64_t id = lgi_mutex_known(mutex);
    struct lge_holder holder = holder_of(mutex, id == 0 ? 0 : lgi_mutex_state(mutex).owner);
    if (holder.lock != 0 && holder.lock == id) {
        report_held(thread, misuse_of(LGR_KIND_REINIT_HELD, mutex, id, site, sp), holder);
    } else if (!lgi_forked()) {
        const struct lge_held *held = buried(thread, mutex, id);
        if (held != NULL)
            report_buried(thread, held, 0, site, sp);
    }
    lge_released(thread, mutex);
}

/* ---- results ---- */

static bool worth_knowing(int result) {
    return result == EINVAL || result == EPERM || result == EDEADLK || result == EAGAIN || result == ESRCH;
}

void lgi_look_at_result(struct lge_thread *thread, pthread_mutex_t *mutex, int result, uintptr_t site,
                        uintptr_t sp) {
    if (!worth_knowing(result))
        return;
    struct lge_misuse misuse = {.kind = LGR_KIND_API_ERROR, .site = site, .sp = sp};
    struct lge_holder holder = {0};
    if (mutex != NULL) {
        uint64_t id = lgi_mutex_identity(thread, mutex, site, sp);
        misuse = misuse_of(LGR_KIND_API_ERROR, mutex, id, site, sp);
        holder = holder_of(mutex, lgi_mutex_state(mutex).owner);
    }
    misuse.detail = (uint64_t)result;
    report_held(thread, misuse, holder);
}
