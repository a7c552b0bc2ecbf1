#include "interpose/thread_exit.h"

#include <limits.h>
#include <pthread.h>

#include "engine/context.h"
#include "engine/misuse.h"
#include "engine/stall.h"
#include "interpose/cancel.h"
#include "interpose/mutex_kind.h"
#include "interpose/on_deadlock.h"
#include "interpose/real.h"
#include "interpose/self.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

enum { ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS };

/* Where pthread_exit was called, and rounds of destructors passed: of a thread
 * that ends. */
static __thread struct {
    uint32_t context;
    int round;
    bool last; /* nobody else does anything */
} ending __attribute__((tls_model("initial-exec")));

/* ---- the report ---- */

/* A mutex that another thread unlocked is no longer held, whatever the held stack
 * says; a semaphore has no holder, and a lock of a file lives as long as a
 * descriptor. */
bool lgi_thread_still_holds(const struct lge_thread *thread, const struct lge_held *held) {
    pthread_mutex_t copy;
    if (held->address == NULL || held->kind == LGR_LOCK_SEMAPHORE || held->kind == LGR_LOCK_FILE)
        return false;
    if (held->kind != LGR_LOCK_MUTEX)
        return true;
    return lgp_read_safely(&copy, held->address, sizeof copy) &&
           lgi_mutex_state(&copy).owner == lge_thread_tid(thread);
}

/* Without a call that ended it, the start routine says which thread it was. */
static uint32_t place(const struct lge_thread *thread) {
    uintptr_t inside = thread->start_routine + 1;
    return ending.context != 0 ? ending.context : lge_context_intern(&inside, 1, true);
}

static void report(struct lge_thread *thread, const struct lge_held *held) {
    bool robust = held->kind == LGR_LOCK_MUTEX && (held->attributes & LGR_LOCK_ROBUST) != 0;
    uint32_t taken = held->context != 0 ? held->context : lge_context_intern(&held->site, 1, true);
    struct lge_misuse misuse = {.kind = LGR_KIND_THREAD_EXIT_HELD,
                                .lock = held->id,
                                .context = place(thread),
                                .earlier_context = taken,
                                .earlier_thread = lge_thread_serial(thread),
                                .severity = robust ? LGR_NOTE : 0};
    lge_report_misuse(thread, &misuse);
}

static void report_all(struct lge_thread *thread) {
    if (thread->cancelled) {
        lgi_cancel_ended(thread);
        return;
    }
    for (const struct lge_held *held = thread->base + 1; held <= thread->top; held++)
        if (lgi_thread_still_holds(thread, held))
            report(thread, held);
}

/* ---- when ---- */

static struct {
    struct lgp_lock lock;
    pthread_key_t key;
    bool made;
} last_round;

/* Set again, it is called again in the next round. */
static void destructor(void *value) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    bool last = ++ending.round >= ROUNDS || pthread_setspecific(last_round.key, value) != 0;
    if (last)
        report_all(thread);
    if (last && ending.last && lge_stall_look_last())
        lgi_on_deadlock();
    lgi_leave(thread);
}

/* Only when it is needed: a program may use up all the keys there are. */
static bool make_key(void) {
    lgp_lock(&last_round.lock);
    if (!last_round.made)
        last_round.made = pthread_key_create(&last_round.key, destructor) == 0;
    lgp_unlock(&last_round.lock);
    return last_round.made;
}

void lgi_thread_exit_after_fork(void) {
    atomic_store_explicit(&last_round.lock.state, 0, memory_order_relaxed);
}

static bool look_in_last_round(struct lge_thread *thread) {
    ending.round = 0;
    return make_key() && pthread_setspecific(last_round.key, thread) == 0;
}

void lgi_thread_exit_holding(struct lge_thread *thread) {
    if (!look_in_last_round(thread))
        report_all(thread);
}

void lgi_thread_exit_last(struct lge_thread *thread) { ending.last = look_in_last_round(thread); }

/* ---- pthread_exit ---- */

LGI_EXPORT void pthread_exit(void *value) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    struct lge_thread *thread = lgi_outside();
    if (lgi_local.block != NULL)
        lgi_local.block->exits = true;
    if (thread != NULL && thread->top != thread->base && lgi_enter() != NULL) {
        ending.context = lge_context_resolve(thread, site, sp);
        if (thread->start_routine == 0) /* not created through us: nobody else will look */
            lgi_thread_exit_holding(thread);
        lgi_leave(thread);
    }
    lgi_real.exit_thread(value);
    __builtin_unreachable();
}
