/* Cancellation, pthread_cancel(3p): a thread that it ends while it holds a lock
 * which no clean-up handler released.
 *
 * Where a cancelled thread was is not known any more when its first frame sees
 * it pass: told is where the lock was taken, and who cancelled. */
#include "interpose/cancel.h"

#include <pthread.h>
#include <threads.h>

#include "engine/context.h"
#include "engine/misuse.h"
#include "interpose/company.h"
#include "interpose/real.h"
#include "interpose/self.h"
#include "interpose/thread_exit.h"
#include "interpose/thread_table.h"

LGI_EXPORT int pthread_cancel(pthread_t handle) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL) {
        lgi_company_for_good();
        return lgi_real.cancel(handle);
    }
    uint32_t serial;
    struct lge_thread *target = lgi_table_get(handle, &serial);
    if (target == NULL) {
        lgi_company_for_good(); /* somebody will leave a wait, and nobody knows who */
    } else {
        uint32_t context = lge_context_capture(thread, LGI_SITE(), LGI_SP());
        atomic_store_explicit(&target->cancelled_by, lge_thread_serial(thread), memory_order_relaxed);
        atomic_store_explicit(&target->cancelled_at, context, memory_order_relaxed);
    }
    lgi_leave(thread);
    return lgi_real.cancel(handle);
}

/* libc goes on from there without pthread_exit's name. */
LGI_EXPORT void thrd_exit(int value) {
    if (lgi_real.thrd_exit == NULL)
        lgi_real_start();
    if (lgi_local.block != NULL)
        lgi_local.block->exits = true;
    lgi_real.thrd_exit(value);
    __builtin_unreachable();
}

/* For a robust mutex that is what its next owner is told. */
static enum lgr_severity severity_of(const struct lge_held *held) {
    return held->attributes & LGR_LOCK_ROBUST ? LGR_NOTE : LGR_WARNING;
}

void lgi_cancel_ended(struct lge_thread *thread) {
    for (struct lge_held *held = thread->base + 1; held <= thread->top; held++) {
        if (!lgi_thread_still_holds(thread, held))
            continue;
        if (held->context == 0) /* the stack is gone */
            held->context = lge_context_intern(&held->site, 1, true);
        struct lge_misuse misuse = {
            .kind = LGR_KIND_CANCEL_UNSAFE,
            .lock = held->id,
            .context = atomic_load_explicit(&thread->cancelled_at, memory_order_relaxed),
            .earlier_context = held->context,
            .earlier_thread = lge_thread_serial(thread),
            .address = held->address,
            .lock_kind = held->kind,
            .attributes = held->attributes,
            .severity = (uint8_t)severity_of(held),
        };
        lge_report_misuse(thread, &misuse);
    }
}
