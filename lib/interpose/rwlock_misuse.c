#include "interpose/rwlock_misuse.h"

#include <errno.h>

#include "engine/destroyed.h"
#include "engine/holders.h"
#include "engine/misuse.h"
#include "interpose/fork.h"
#include "interpose/lock_log.h"
#include "interpose/rwlock_fast.h"

/* ---- what the lock says ---- */

static uint32_t writer_of(const pthread_rwlock_t *lock) {
    return (uint32_t)__atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED);
}

/* Those that are being granted the lock are among them while somebody writes. */
static uint32_t readers_of(const pthread_rwlock_t *lock) {
    uint32_t state = __atomic_load_n(&lock->__data.__readers, __ATOMIC_RELAXED);
    return state & LGI_RW_WRITE_PHASE ? 0 : state / LGI_RW_READER;
}

static bool any(const struct lge_holder *holder) { return holder->kind == LGR_LOCK_RWLOCK; }

/* The writer, or a reader that is known. */
static struct lge_holder holder_of(const pthread_rwlock_t *lock) {
    uint32_t writer = writer_of(lock);
    return writer != 0 ? lge_holder_find(writer, lock) : lge_holder_within(lock, 1, any);
}

/* ---- reports ---- */

static void report(const struct lgi_rwlock_call *call, enum lgr_kind kind, struct lge_holder holder,
                   uint64_t detail) {
    struct lge_misuse misuse = {
        .kind = kind,
        .lock = call->id,
        .site = call->site,
        .sp = call->sp,
        .earlier_context = holder.context,
        .earlier_thread = holder.serial,
        .detail = detail,
        .address = call->lock,
        .lock_kind = LGR_LOCK_RWLOCK,
        .attributes = call->lock->__data.__shared != 0 ? LGR_LOCK_PSHARED : 0,
    };
    lge_report_misuse(call->thread, &misuse);
}

/* A lock in shared memory may be held by another process.  A forked child has the
 * state that its parent's threads left, and says nothing. */
static bool others_unseen(const struct lgi_rwlock_call *call) {
    return call->lock->__data.__shared != 0 || lgi_forked();
}

void lgi_rwlock_report_destroyed(const struct lgi_rwlock_call *call) {
    struct lge_destroyed destroyed;
    if (!lge_destroyed_get(call->lock, &destroyed))
        return;
    struct lgi_rwlock_call use = *call;
    use.id = destroyed.lock;
    report(&use, LGR_KIND_USE_DESTROYED,
           (struct lge_holder){.serial = destroyed.thread, .context = destroyed.context}, 0);
}

void lgi_rwlock_note_destroyed(const struct lgi_rwlock_call *call) {
    lge_destroyed_put(&(struct lge_destroyed){.address = call->lock,
                                              .lock = call->id,
                                              .site = call->site,
                                              .thread = lge_thread_serial(call->thread)});
}

/* To stop reading for another thread is foreign only where all who read are
 * known: the caller may be one of whom we did not see that it began. */
void lgi_rwlock_look_at_unlock(const struct lgi_rwlock_call *call) {
    uint32_t writer = writer_of(call->lock), readers = readers_of(call->lock);
    if (lgi_forked() || writer == lge_thread_tid(call->thread))
        return;
    if (writer == 0 && readers == 0) {
        report(call, LGR_KIND_UNLOCK_UNHELD, (struct lge_holder){0}, 0);
        lgi_log_unheld(call->id, call->lock, LGR_LOCK_RWLOCK);
    } else if (!others_unseen(call) && (writer != 0 || readers == lge_holders_count(call->lock))) {
        report(call, LGR_KIND_UNLOCK_FOREIGN, holder_of(call->lock), 0);
    }
}

void lgi_rwlock_look_at_destroy(const struct lgi_rwlock_call *call) {
    if (call->id == 0 || lgi_forked())
        return;
    struct lge_holder waiter = lge_waiter_find(call->thread, call->id);
    if (waiter.serial != 0)
        report(call, LGR_KIND_DESTROY_WAITED, waiter, 0);
    else if (!others_unseen(call) && (writer_of(call->lock) != 0 || readers_of(call->lock) != 0))
        report(call, LGR_KIND_DESTROY_HELD, holder_of(call->lock), 0);
}

void lgi_rwlock_look_at_init(const struct lgi_rwlock_call *call) {
    if (call->id == 0 || others_unseen(call))
        return;
    struct lge_holder holder = holder_of(call->lock);
    if (holder.lock == call->id)
        report(call, LGR_KIND_REINIT_HELD, holder, 0);
}

void lgi_rwlock_look_at_result(const struct lgi_rwlock_call *call, int result) {
    if (result == EDEADLK || result == EAGAIN || result == EINVAL)
        report(call, LGR_KIND_API_ERROR, holder_of(call->lock), (uint64_t)result);
}
