#include <string.h>

#include "ink.h"
#include "inspect_words.h"
#include "snapshot_stacks.h"
#include "stacks.h"

struct view {
    struct text *out;
    struct snapshot *snapshot;
    const struct stack *stacks;
    const struct snapshot_waits *waits;
    bool color;
};

static const char *label(const struct view *view, size_t index) {
    return snapshot_thread_label(view->snapshot, index);
}

static const char *owner(const struct view *view, const struct snapshot_wait *wait, size_t self) {
    if (wait->next == self)
        return "itself";
    if (wait->next != SIZE_MAX)
        return label(view, wait->next);
    return pool_printf(view->snapshot->pool, "thread %u of another process, or one that ended", wait->owner);
}

/* "ledger_lock (mutex), held by T3 (worker, 4713)" */
static const char *wanted(const struct view *view, size_t index) {
    const struct snapshot_wait *wait = &view->waits->waits[index];
    struct pool *pool = view->snapshot->pool;
    const char *kind = wait_object_name(wait->object), *limited = wait->limited ? ", for a limited time" : "";
    if (wait->object == WAITS_THREAD)
        return pool_printf(pool, "%s%s", wait->name, limited);
    bool told = strncmp(wait->name, kind, strlen(kind)) == 0;
    const char *what = told ? wait->name : pool_printf(pool, "%s (%s)", wait->name, kind);
    if (wait->object == WAITS_RWLOCK)
        what = pool_printf(pool, "%s to %s", what, wait->shared ? "read" : "write");
    if (wait->owner)
        return pool_printf(pool, "%s, held by %s%s", what, owner(view, wait, index), limited);
    if (wait->readers)
        return pool_printf(pool, "%s, held by %u reader%s%s", what, wait->readers,
                           wait->readers == 1 ? "" : "s", limited);
    return pool_printf(pool, "%s%s", what, limited);
}

static const char *place(const struct view *view, size_t index) {
    const struct code_frame *site = stack_site(&view->stacks[index]);
    return site ? frame_place(view->snapshot->pool, site) : "a place that cannot be told";
}

static void add_cycle(const struct view *view, const struct snapshot_cycle *cycle) {
    struct text *out = view->out;
    bool alone = cycle->length == 1;
    const char *end = cycle->limited ? "until a time limit ends it" : "and will not go on";
    const char *head =
        alone ? pool_printf(view->snapshot->pool, "a thread waits for itself %s", end)
              : pool_printf(view->snapshot->pool, "%zu threads wait for each other %s", cycle->length, end);
    ink_add(out, view->color, cycle->limited ? INK_WARNING : INK_ERROR,
            cycle->limited ? "deadlock, limited" : "deadlock");
    text_printf(out, ": %s\n", head);
    size_t at = cycle->first;
    do {
        text_printf(out, "  %s waits for %s\n    at %s\n", label(view, at), wanted(view, at),
                    place(view, at));
        at = view->waits->waits[at].next;
    } while (at != cycle->first);
    text_add(out, "\n");
}

static void add_frame(const struct view *view, const struct code_frame *frame) {
    text_printf(view->out, "      %s%s\n", frame_place(view->snapshot->pool, frame),
                frame->inlined ? "  (inlined)" : "");
}

static const char *doing(const struct view *view, size_t index) {
    const struct snapshot_thread *thread = &view->snapshot->threads[index];
    if (view->waits->waits[index].object != WAITS_NOT)
        return pool_printf(view->snapshot->pool, "waits for %s", wanted(view, index));
    if (thread->state == 'R' || !thread->state)
        return thread->state ? "runs" : "waits for no lock";
    return "sleeps in a system call";
}

/* ---- threads that do the same ---- */

static bool same_frame(const struct code_frame *a, const struct code_frame *b) {
    return a->offset == b->offset && a->inlined == b->inlined &&
           (a->module == b->module || (a->module && b->module && strcmp(a->module, b->module) == 0));
}

static bool same_thing(const struct view *view, size_t one, size_t other) {
    const struct stack *a = &view->stacks[one], *b = &view->stacks[other];
    if (a->count != b->count || a->count == 0)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!same_frame(&a->frames[i], &b->frames[i]))
            return false;
    return strcmp(doing(view, one), doing(view, other)) == 0;
}

static bool was_told(const struct view *view, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (same_thing(view, i, index))
            return true;
    return false;
}

static void add_others(const struct view *view, size_t index) {
    enum { NAMED = 8 };
    size_t count = 0;
    for (size_t i = index + 1; i < view->snapshot->thread_count; i++) {
        if (!same_thing(view, index, i))
            continue;
        if (count++ < NAMED)
            text_printf(view->out, "%s%s", count == 1 ? "      and so do " : ", ", label(view, i));
    }
    if (count > NAMED)
        text_printf(view->out, " and %zu more", count - NAMED);
    text_add(view->out, count ? "\n" : "");
}

static void add_thread(const struct view *view, size_t index) {
    const struct stack *stack = &view->stacks[index];
    size_t end = stack_end(stack);
    ink_add(view->out, view->color, INK_BOLD, label(view, index));
    text_printf(view->out, " %s\n", doing(view, index));
    const char *called = stack->first ? stack->frames[stack->first - 1].name : NULL;
    if (called)
        text_printf(view->out, "      (in %s)\n", called);
    for (size_t i = stack->first; i < end; i++)
        add_frame(view, &stack->frames[i]);
    if (stack->count == 0)
        text_add(view->out, "      (its stack cannot be told)\n");
    add_others(view, index);
}

void inspect_text(struct text *out, struct snapshot *snapshot, const struct stack *stacks,
                  const struct snapshot_waits *waits, bool color) {
    struct view view = {out, snapshot, stacks, waits, color};
    text_printf(out, "process %d (%s): %zu thread%s, %zu wait%s for a lock, a thread or a signal\n",
                (int)snapshot->pid, snapshot->program, snapshot->thread_count,
                snapshot->thread_count == 1 ? "" : "s", waits->waiting, waits->waiting == 1 ? "s" : "");
    if (waits->cycle_count == 0)
        text_add(out, "no threads wait for each other\n");
    text_add(out, "\n");
    for (size_t i = 0; i < waits->cycle_count; i++)
        add_cycle(&view, &waits->cycles[i]);
    for (size_t i = 0; i < snapshot->thread_count; i++)
        if (!was_told(&view, i))
            add_thread(&view, i);
}
