#include "engine/thread_waits.h"

#include "engine/evidence.h"
#include "engine/lifecycle.h"
#include "engine/thread.h"
#include "record/writer.h"

/* Of the threads without a record. */
static struct {
    struct lge_thread_waits figures;
    _Atomic uint32_t given; /* records, in this file; relaxed */
} rest;

static uint64_t value(const _Atomic uint64_t *figure) {
    return atomic_load_explicit(figure, memory_order_relaxed);
}

/* ---- counting ---- */

static bool one_is_left(void) {
    return atomic_load_explicit(&rest.given, memory_order_relaxed) < LGE_THREAD_WAITS &&
           atomic_fetch_add_explicit(&rest.given, 1, memory_order_relaxed) < LGE_THREAD_WAITS;
}

/* Once in its life. */
static void obtain_record(struct lge_thread *thread) {
    thread->waits.asked = true;
    struct lgr_thread_waits *record = one_is_left() ? lge_evidence_thread_waits(thread) : NULL;
    lge_threads_lock();
    thread->waits.record = record;
    lge_threads_unlock();
}

static void raise(_Atomic uint64_t *figure, uint64_t to) {
    uint64_t now = value(figure);
    while (now < to && !atomic_compare_exchange_weak_explicit(figure, &now, to, memory_order_relaxed,
                                                              memory_order_relaxed))
        continue;
}

static void note_with_the_rest(uint64_t ns) {
    atomic_fetch_add_explicit(&rest.figures.count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&rest.figures.total_ns, ns, memory_order_relaxed);
    raise(&rest.figures.max_ns, ns);
}

void lge_thread_waits_note(struct lge_thread *thread, uint64_t ns) {
    struct lge_thread_waits *waits = &thread->waits;
    if (!waits->asked)
        obtain_record(thread);
    if (waits->record == NULL) {
        note_with_the_rest(ns);
        return;
    }
    lge_count(&waits->count, 1);
    lge_count(&waits->total_ns, ns);
    if (ns > value(&waits->max_ns))
        atomic_store_explicit(&waits->max_ns, ns, memory_order_relaxed);
}

/* ---- writing ---- */

/* A page of the file becomes dirty only where something changed; and a process that we did
 * not see begin, with a copy of ours, does not take back what was written since. */
static void put(uint64_t *to, const _Atomic uint64_t *figure) {
    uint64_t now = value(figure);
    if (lgr_figure(to) < now)
        __atomic_store_n(to, now, __ATOMIC_RELAXED);
}

static void write_one(const struct lge_thread_waits *waits) {
    if (waits->record == NULL)
        return;
    put(&waits->record->count, &waits->count);
    put(&waits->record->total_ns, &waits->total_ns);
    put(&waits->record->max_ns, &waits->max_ns);
}

static void write_list(const struct lge_thread *thread) {
    for (; thread != NULL; thread = thread->next_in_list)
        write_one(&thread->waits);
}

static void write_rest(void) {
    if (!rest.figures.asked && value(&rest.figures.count) != 0) {
        rest.figures.asked = true;
        rest.figures.record = lge_evidence_thread_waits(NULL);
    }
    write_one(&rest.figures);
}

void lge_thread_waits_write(void) {
    write_rest();
    lge_threads_lock();
    write_list(lge_threads_first());
    write_list(lge_threads_leaving());
    lge_threads_unlock();
}

/* ---- life ---- */

void lge_thread_waits_over(struct lge_thread *thread) {
    if (thread->waits.record != NULL && lgr_writer_is_own())
        write_one(&thread->waits);
    thread->waits = (struct lge_thread_waits){0};
}

void lge_thread_waits_after_fork(struct lge_thread *self) {
    self->waits = (struct lge_thread_waits){0};
    lge_thread_waits_reset();
}

void lge_thread_waits_reset(void) {
    rest.figures = (struct lge_thread_waits){0};
    atomic_store_explicit(&rest.given, 0, memory_order_relaxed);
}

struct lgp_part lge_thread_waits_part(void) {
    return (struct lgp_part){NULL, (void *)&rest, sizeof rest};
}
