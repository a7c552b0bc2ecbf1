#include "timed_spans.h"

#include <stdlib.h>

#include "model_waits.h"
#include "stacks.h"

/* When any thread waited for the lock. */
struct lock_wait {
    const struct model_lock *lock;
    uint64_t start_ns, end_ns;
};

/* Of several holds of a lock the one that ended last, and the last one of another thread. */
struct last_holds {
    const struct timed_span *last, *other; /* NULL: none */
};

/* ---- one of them ---- */

static uint64_t real_time(const struct model_process *process, uint64_t monotonic_ns) {
    return process->header->start_realtime_ns + (monotonic_ns - process->header->start_monotonic_ns);
}

/* Hostile times are cut, so that none ends before it begins. */
static uint64_t end_of(uint64_t start_ns, uint64_t length_ns) {
    return start_ns + length_ns < start_ns ? UINT64_MAX : start_ns + length_ns;
}

static const char *place_of(struct model *model, const struct model_process *process, uint32_t context) {
    struct stack stack = model_stack(model, process, context);
    return stack.count ? frame_place(&model->pool, stack_site(&stack)) : NULL;
}

static struct timed_span named(struct model *model, struct model_process *process,
                               const struct lgr_span *raw) {
    bool waits = raw->wait_kind != LGR_WAIT_NONE, for_lock = !waits || raw->wait_kind == LGR_WAIT_LOCK;
    struct timed_span span = {.process = process,
                              .lock = for_lock ? model_lock_of(model, process, raw->target) : NULL,
                              .at = place_of(model, process, raw->context),
                              .start_ns = real_time(process, raw->start_ns),
                              .waits = waits};
    span.end_ns = end_of(span.start_ns, raw->length_ns);
    span.what = waits ? pool_printf(&model->pool, "waits for %s",
                                    waited_for(model, process, raw->wait_kind, raw->target, span.lock))
                      : pool_printf(&model->pool, "holds %s", span.lock->short_name);
    return span;
}

/* ---- all of them ---- */

static int compare_raw(const void *a, const void *b) {
    const struct lgr_span *one = *(const struct lgr_span *const *)a,
                          *other = *(const struct lgr_span *const *)b;
    if (one->thread != other->thread)
        return one->thread < other->thread ? -1 : 1;
    if (one->start_ns != other->start_ns)
        return one->start_ns < other->start_ns ? -1 : 1;
    if (one->length_ns != other->length_ns)
        return one->length_ns > other->length_ns ? -1 : 1;
    return one->target < other->target ? -1 : one->target > other->target;
}

static void add_process(struct model *model, struct model_process *process, struct timed_spans *spans) {
    size_t count;
    const struct lgr_span *raw = lgr_spans(process->file, &count), **sorted;
    if (lgr_spans_least(process->file) > spans->least_ns)
        spans->least_ns = lgr_spans_least(process->file);
    if (count == 0)
        return;
    sorted = pool_array(&model->pool, count, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &raw[i];
    qsort(sorted, count, sizeof(const struct lgr_span *), compare_raw);
    const struct model_thread *thread = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!thread || thread->serial != sorted[i]->thread)
            thread = model_thread_of(model, process, sorted[i]->thread);
        struct timed_span *span = &spans->list[spans->count++];
        *span = named(model, process, sorted[i]);
        span->thread = thread;
    }
}

/* ---- by lock ---- */

static int compare_locks(const struct model_lock *one, const struct model_lock *other) {
    if (one->process != other->process)
        return one->process->index < other->process->index ? -1 : 1;
    return one->raw < other->raw ? -1 : one->raw > other->raw;
}

static int compare_at(const struct model_lock *lock, uint64_t start_ns, const struct model_lock *other,
                      uint64_t other_ns) {
    int order = compare_locks(lock, other);
    return order ? order : start_ns < other_ns ? -1 : start_ns > other_ns;
}

static int compare_waits(const void *a, const void *b) {
    const struct lock_wait *one = a, *other = b;
    return compare_at(one->lock, one->start_ns, other->lock, other->start_ns);
}

static int compare_holds(const void *a, const void *b) {
    const struct timed_span *one = *(const struct timed_span *const *)a,
                            *other = *(const struct timed_span *const *)b;
    return compare_at(one->lock, one->start_ns, other->lock, other->start_ns);
}

static size_t united(struct lock_wait *waits, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct lock_wait *last = kept ? &waits[kept - 1] : NULL;
        if (!last || last->lock != waits[i].lock || last->end_ns < waits[i].start_ns)
            waits[kept++] = waits[i];
        else if (waits[i].end_ns > last->end_ns)
            last->end_ns = waits[i].end_ns;
    }
    return kept;
}

static bool ends_later(const struct timed_span *one, const struct timed_span *other) {
    return !other || one->end_ns > other->end_ns;
}

static void note_last(struct last_holds *holds, const struct timed_span *hold) {
    if (ends_later(hold, holds->last)) {
        if (holds->last && holds->last->thread != hold->thread)
            holds->other = holds->last;
        holds->last = hold;
    } else if (hold->thread != holds->last->thread && ends_later(hold, holds->other)) {
        holds->other = hold;
    }
}

static void find_last(struct model *model, struct timed_spans *spans) {
    spans->last = pool_array(&model->pool, spans->hold_count + 1, sizeof *spans->last);
    for (size_t i = 0; i < spans->hold_count; i++) {
        if (i && spans->holds[i - 1]->lock == spans->holds[i]->lock)
            spans->last[i] = spans->last[i - 1];
        note_last(&spans->last[i], spans->holds[i]);
    }
}

static void sort_by_lock(struct model *model, struct timed_spans *spans) {
    spans->waits = pool_array(&model->pool, spans->count + 1, sizeof *spans->waits);
    spans->holds = pool_array(&model->pool, spans->count + 1, sizeof *spans->holds);
    for (size_t i = 0; i < spans->count; i++) {
        const struct timed_span *span = &spans->list[i];
        if (!span->waits)
            spans->holds[spans->hold_count++] = span;
        else if (span->lock)
            spans->waits[spans->wait_count++] = (struct lock_wait){span->lock, span->start_ns, span->end_ns};
    }
    if (spans->hold_count)
        qsort(spans->holds, spans->hold_count, sizeof(const struct timed_span *), compare_holds);
    if (spans->wait_count)
        qsort(spans->waits, spans->wait_count, sizeof *spans->waits, compare_waits);
    spans->wait_count = united(spans->waits, spans->wait_count);
    find_last(model, spans);
}

struct timed_spans timed_spans_collect(struct model *model) {
    struct timed_spans spans = {0};
    size_t total = 0, count;
    for (size_t i = 0; i < model->process_count; i++) {
        lgr_spans(model->processes[i].file, &count);
        total += count;
    }
    spans.list = pool_array(&model->pool, total + 1, sizeof *spans.list);
    for (size_t i = 0; i < model->process_count; i++)
        add_process(model, &model->processes[i], &spans);
    sort_by_lock(model, &spans);
    return spans;
}

/* ---- asked of a lock ---- */

/* The first wait for the lock that ends after that moment, if it is one for the lock. */
static const struct lock_wait *first_after(const struct timed_spans *spans, const struct model_lock *lock,
                                           uint64_t ns) {
    size_t low = 0, high = spans->wait_count;
    while (low < high) {
        const struct lock_wait *wait = &spans->waits[low + (high - low) / 2];
        int order = compare_locks(wait->lock, lock);
        if (order < 0 || (order == 0 && wait->end_ns <= ns))
            low = low + (high - low) / 2 + 1;
        else
            high = low + (high - low) / 2;
    }
    return low < spans->wait_count && spans->waits[low].lock == lock ? &spans->waits[low] : NULL;
}

bool timed_spans_waited(const struct timed_spans *spans, const struct timed_span *hold, uint64_t from,
                        struct waited *part) {
    uint64_t after = from > hold->start_ns ? from : hold->start_ns;
    const struct lock_wait *wait = first_after(spans, hold->lock, after);
    if (!wait || wait->start_ns >= hold->end_ns || after >= hold->end_ns)
        return false;
    *part = (struct waited){wait->start_ns > after ? wait->start_ns : after,
                            wait->end_ns < hold->end_ns ? wait->end_ns : hold->end_ns};
    return true;
}

const struct timed_span *timed_spans_holder(const struct timed_spans *spans, const struct timed_span *wait) {
    size_t low = 0, high = spans->hold_count;
    while (low < high) {
        const struct timed_span *hold = spans->holds[low + (high - low) / 2];
        if (compare_at(hold->lock, hold->start_ns, wait->lock, wait->start_ns) <= 0)
            low = low + (high - low) / 2 + 1;
        else
            high = low + (high - low) / 2;
    }
    if (low == 0 || spans->holds[low - 1]->lock != wait->lock)
        return NULL;
    const struct last_holds *holds = &spans->last[low - 1];
    const struct timed_span *hold = holds->last->thread == wait->thread ? holds->other : holds->last;
    return hold && hold->end_ns > wait->start_ns ? hold : NULL;
}
