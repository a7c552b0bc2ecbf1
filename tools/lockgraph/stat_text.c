#include "stat_text.h"

#include <stdlib.h>
#include <string.h>

#include "order_words.h"
#include "stacks.h"
#include "stat_cells.h"
#include "thread_waits.h"

/* ---- which ones ---- */

static bool was_used(const struct usage *usage) {
    return usage->figures.contended || lgr_times_count(&usage->figures.hold);
}

/* What cost most first; then by name, so that the same evidence gives the same table. */
static int compare(const void *a, const void *b) {
    const struct usage *one = *(const struct usage *const *)a, *other = *(const struct usage *const *)b;
    const uint64_t left[] = {one->figures.wait.total_ns, one->figures.contended, one->figures.hold.total_ns};
    const uint64_t right[] = {other->figures.wait.total_ns, other->figures.contended,
                              other->figures.hold.total_ns};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        if (left[i] != right[i])
            return left[i] > right[i] ? -1 : 1;
    int by_name = strcmp(one->class->name, other->class->name);
    return by_name ? by_name : (one > other) - (one < other);
}

static size_t select_rows(const struct usages *usages, bool by_site, const struct usage **rows) {
    size_t count = 0;
    for (size_t i = 0; i < usages->count; i++)
        if ((usages->list[i].at != NULL) == by_site && was_used(&usages->list[i]))
            rows[count++] = &usages->list[i];
    if (count)
        qsort(rows, count, sizeof *rows, compare);
    return count;
}

/* ---- the table ---- */

static void add_heading(struct text *out, bool by_site, bool holds) {
    static const char *const cells[] = {"contended", "wait total", "wait 95 %", "wait max", "waiters"};
    static const char *const hold_cells[] = {"taken", "hold total", "hold max"};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        add_cell(out, cells[i]);
    for (size_t i = 0; holds && i < sizeof hold_cells / sizeof *hold_cells; i++)
        add_cell(out, hold_cells[i]);
    text_add(out, by_site ? "  place, lock\n" : "  class of locks\n");
}

static void add_row(struct text *out, struct pool *pool, const struct usage *usage, bool holds) {
    const struct lgr_figures *figures = &usage->figures;
    add_number(out, pool, figures->contended);
    add_time(out, pool, figures->wait.total_ns);
    add_time(out, pool, lgr_times_quantile(&figures->wait, 95));
    add_time(out, pool, figures->wait.max_ns);
    add_number(out, pool, figures->waiters_max);
    if (holds) {
        add_number(out, pool, lgr_times_count(&figures->hold));
        add_time(out, pool, figures->hold.total_ns);
        add_time(out, pool, figures->hold.max_ns);
    }
    if (usage->at)
        text_printf(out, "  %s, %s\n", frame_place(pool, usage->at), usage->class->name);
    else
        text_printf(out, "  %s\n", usage->class->name);
}

/* An answer that is partly an estimate says so. */
static void add_estimated(struct text *out, const struct usage **rows, size_t count) {
    uint64_t holds = 0, estimated = 0;
    for (size_t i = 0; i < count; i++) {
        holds += lgr_times_count(&rows[i]->figures.hold);
        estimated += rows[i]->figures.estimated;
    }
    if (estimated)
        text_printf(
            out,
            "\nOf these %lu holds %lu were counted and not timed: each was taken to be as long as one "
            "that was.\n-O profile=1:profile_exact=1 times all.\n",
            (unsigned long)holds, (unsigned long)estimated);
}

static void add_left_out(struct text *out, size_t told, size_t count) {
    if (told < count)
        text_printf(out, "… %zu more; --top %zu shows all\n", count - told, count);
}

static void add_usages(struct text *out, struct model *model, bool by_site, size_t top) {
    struct pool *pool = &model->pool;
    struct usages usages = usages_collect(model);
    const struct usage **rows = pool_array(pool, usages.count + 1, sizeof *rows);
    size_t count = select_rows(&usages, by_site, rows), told = count < top ? count : top;
    bool holds = usages.holds && !by_site;
    if (count == 0) {
        text_printf(out, "No %s waited for.\n", by_site ? "place is known at which a lock was" : "lock was");
        return;
    }
    text_add(out, "\n");
    add_heading(out, by_site, holds);
    for (size_t i = 0; i < told; i++)
        add_row(out, pool, rows[i], holds);
    add_left_out(out, told, count);
    if (holds)
        add_estimated(out, rows, told);
    if (!usages.holds)
        text_add(out, "\nHow often locks were taken and how long they were held is measured with "
                      "lockgraph run -O profile=1.\n");
}

/* ---- threads ---- */

static void add_thread_row(struct text *out, struct model *model, const struct thread_waits *row) {
    struct pool *pool = &model->pool;
    add_number(out, pool, row->count);
    add_time(out, pool, row->total_ns);
    add_time(out, pool, row->total_ns / row->count);
    add_time(out, pool, row->max_ns);
    text_printf(out, "  %s\n", thread_words(model, row->process, row->thread));
}

static void add_threads(struct text *out, struct model *model, size_t top) {
    static const char *const cells[] = {"waits", "wait total", "wait mean", "wait max"};
    struct thread_waits_list list = thread_waits_collect(model);
    size_t told = list.count < top ? list.count : top;
    if (list.count == 0) {
        text_add(out, "No thread is known that waited for a lock.\n");
        return;
    }
    text_add(out, "\n");
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        add_cell(out, cells[i]);
    text_add(out, "  thread\n");
    for (size_t i = 0; i < told; i++)
        add_thread_row(out, model, &list.rows[i]);
    add_left_out(out, told, list.count);
}

/* ---- all of it ---- */

static void add_table(struct text *out, struct model *model, enum stat_by by, size_t top) {
    if (by == STAT_BY_THREAD)
        add_threads(out, model, top);
    else
        add_usages(out, model, by == STAT_BY_SITE, top);
}

static void add_merged(struct text *out, size_t files) {
    text_add(out, files == 1 ? "\nA merged file keeps" : "\nMerged files keep");
    text_add(out, " no figures of waits and holds: they are in the evidence that was merged.\n");
}

void stat_text(struct text *out, struct model *model, enum stat_by by, size_t top) {
    size_t merged = model_merged_files(model);
    text_printf(out, "%s, %lu of their acquisitions had to wait\n",
                order_count(&model->pool, (size_t)model->coverage.locks, "lock", "locks"),
                (unsigned long)model->coverage.contended);
    if (merged == 0 || merged < model->process_count)
        add_table(out, model, by, top);
    if (merged)
        add_merged(out, merged);
}
