#include "engine/orphan.h"

#include <string.h>

#include "engine/evidence.h"
#include "engine/identity.h"
#include "engine/lifecycle.h"
#include "engine/lock_class.h"
#include "engine/misuse.h"
#include "engine/outside.h"
#include "engine/thread.h"
#include "platform/futex_lock.h"
#include "platform/part.h"

enum { MOST = 32 };

struct orphan {
    struct lge_held held;
    uint32_t serial, tid; /* of the thread that held it */
    bool noted, warned, failed;
};

_Atomic uint32_t lge_orphans;

static struct lgp_lock lock; /* after all of the engine's; nothing is called under it */
static struct orphan orphans[MOST];
static lge_orphan_check *still_held;

/* ---- in the child, alone ---- */

static void add(const struct lge_thread *thread, const struct lge_held *held) {
    uint32_t count = atomic_load_explicit(&lge_orphans, memory_order_relaxed);
    if (count == MOST)
        return;
    orphans[count] =
        (struct orphan){.held = *held, .serial = lge_thread_serial(thread), .tid = lge_thread_tid(thread)};
    atomic_store_explicit(&lge_orphans, count + 1, memory_order_relaxed);
}

/* A lock in memory that both processes see is the parent's to release, and who
 * waits on a semaphore need not be who posts it.  The memory of a robust mutex is
 * asked once the child can allocate. */
static bool stays_held(const struct lge_thread *thread, const struct lge_held *held,
                       lge_orphan_check *check) {
    return held->address != NULL && held->kind != LGR_LOCK_SEMAPHORE && held->kind != LGR_LOCK_FILE &&
           (!lge_hold_shared(held) || (held->attributes & LGR_LOCK_ROBUST) != 0) &&
           check(held, lge_thread_tid(thread));
}

/* Its owner was running when the copy was made. */
static bool readable(const struct lge_thread *thread) {
    return thread->life == LGE_THREAD_RUNNING && thread->base != NULL && thread->top >= thread->base &&
           thread->top <= thread->last;
}

void lge_orphans_collect(const struct lge_thread *self, lge_orphan_check *check) {
    struct lgp_part threads = lge_threads_part();
    still_held = check;
    atomic_store_explicit(&lock.state, 0, memory_order_relaxed);
    if (!lge_misuse_wanted(LGR_KIND_FORK_HELD) || !lgp_part_intact(&threads))
        return;
    for (const struct lge_thread *thread = lge_threads_first(); thread != NULL;
         thread = thread->next_in_list) {
        if (thread == self || !readable(thread))
            continue;
        for (const struct lge_held *held = thread->base + 1; held <= thread->top; held++)
            if (stays_held(thread, held, check))
                add(thread, held);
    }
}

static struct lge_misuse misuse_of(const struct orphan *orphan, enum lgr_severity severity) {
    return (struct lge_misuse){
        .kind = LGR_KIND_FORK_HELD,
        .lock = orphan->held.id,
        .earlier_context = orphan->held.context,
        .earlier_thread = orphan->serial,
        .address = orphan->held.address,
        .lock_kind = orphan->held.kind,
        .attributes = orphan->held.attributes & LGE_HELD_LOCKS_OWN,
        .severity = (uint8_t)severity,
    };
}

/* False when the engine began anew: its number and context mean nothing. */
static bool known(const struct orphan *orphan) {
    return lge_class_get(lge_lock_class(orphan->held.id)) != NULL;
}

void lge_orphans_note(struct lge_thread *self, uintptr_t site, uintptr_t sp) {
    uint32_t count = atomic_load_explicit(&lge_orphans, memory_order_relaxed), kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct orphan orphan = orphans[i];
        if (!known(&orphan) || lge_outside(orphan.held.address, orphan.held.attributes))
            continue;
        if (!orphan.noted) {
            if (orphan.held.context == 0)
                orphan.held.context = lge_context_intern(&orphan.held.site, 1, true);
            struct lge_misuse misuse = misuse_of(&orphan, LGR_NOTE);
            misuse.site = site;
            misuse.sp = sp;
            lge_report_misuse(self, &misuse);
            orphan.noted = true;
        }
        orphans[kept++] = orphan;
    }
    atomic_store_explicit(&lge_orphans, kept, memory_order_relaxed);
    if (kept != 0)
        lge_tags_stale();
}

/* ---- what the child does ---- */

static void report(struct lge_thread *thread, const struct lge_request *request, const struct orphan *orphan,
                   enum lgr_severity severity, enum lgr_fork_detail detail) {
    struct lge_misuse misuse = misuse_of(orphan, severity);
    misuse.detail = detail;
    misuse.site = request->site;
    misuse.sp = request->sp;
    misuse.context = request->context;
    lge_report_misuse(thread, &misuse);
}

/* The first orphan that `fits`, marked so that it does not come again. */
static bool take(const struct lge_request *request, bool (*fits)(struct orphan *, const struct lge_request *),
                 struct orphan *found) {
    bool any = false;
    lgp_lock(&lock);
    uint32_t count = atomic_load_explicit(&lge_orphans, memory_order_relaxed);
    for (uint32_t i = 0; i < count && !any; i++)
        if (fits(&orphans[i], request)) {
            *found = orphans[i];
            any = true;
        }
    lgp_unlock(&lock);
    return any;
}

static bool is_orphan(struct orphan *orphan, const struct lge_request *request) {
    bool fits = orphan->held.id == request->id && !orphan->failed;
    orphan->failed = orphan->failed || fits;
    return fits;
}

/* Two readers do not block each other; and somebody may have released it for
 * the thread that is not there.  A time limit is no excuse: it certainly passes. */
void lge_orphan_requested(struct lge_thread *thread, const struct lge_request *request) {
    struct orphan orphan;
    if (!take(request, is_orphan, &orphan) || !still_held(&orphan.held, orphan.tid) ||
        (request->mode == LGR_SHARED && orphan.held.mode == LGR_SHARED))
        return;
    report(thread, request, &orphan, LGR_ERROR, LGR_FORK_ASKED);
}

/* A class that was only guessed is no role. */
static bool is_of_class(struct orphan *orphan, const struct lge_request *request) {
    uint32_t class_id = lge_lock_class(request->id);
    if (orphan->warned || orphan->failed || orphan->held.id == request->id ||
        lge_lock_class(orphan->held.id) != class_id)
        return false;
    const struct lge_class *class = lge_class_get(class_id);
    orphan->warned = class != NULL && class->kind != LGR_CLASS_GUESS;
    return orphan->warned;
}

void lge_orphan_class_used(struct lge_thread *thread, const struct lge_request *request) {
    struct orphan orphan;
    if (take(request, is_of_class, &orphan))
        report(thread, request, &orphan, LGR_WARNING, LGR_FORK_CLASS);
}

void lge_orphans_reset(void) {
    atomic_store_explicit(&lge_orphans, 0, memory_order_relaxed);
    memset(orphans, 0, sizeof orphans);
}
