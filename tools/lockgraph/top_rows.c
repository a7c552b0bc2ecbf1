#include "top_rows.h"

#include <stdlib.h>
#include <string.h>

#include "thread_waits.h"
#include "usage.h"
#include "wait_words.h"

#define NS_IN_S 1e9

struct looking {
    struct model *model;
    uint64_t now_ns;
    bool any_runs; /* else what was left behind is shown */
};

/* ---- waits that go on ---- */

static bool goes_on(const struct looking *looking, const struct model_wait *wait) {
    return wait->process->alive || !looking->any_runs;
}

/* 0: not known, as where nobody is left to wait. */
static uint64_t so_far(const struct looking *looking, const struct model_wait *wait) {
    bool known = wait->process->alive && wait->since_realtime_ns != 0;
    return known && wait->since_realtime_ns < looking->now_ns ? looking->now_ns - wait->since_realtime_ns : 0;
}

static void add_wait(const struct looking *looking, struct top_row *row, const struct model_wait *wait) {
    uint64_t ns = so_far(looking, wait);
    row->waiting++;
    if (!wait->lock)
        return;
    row->sums.wait_ns += ns;
    row->wait_max_ns = ns > row->wait_max_ns ? ns : row->wait_max_ns;
}

/* ---- locks ---- */

static struct top_row *row_of(struct top_table *table, const char *key) {
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->rows[i].key, key) == 0)
            return &table->rows[i];
    struct top_row *row = &table->rows[table->count++];
    *row = (struct top_row){.key = key};
    return row;
}

static void set_figures(struct top_row *row, const struct lgr_figures *figures) {
    row->sums = (struct top_sums){.waits = figures->contended,
                                  .wait_ns = figures->wait.total_ns,
                                  .taken = lgr_times_count(&figures->hold),
                                  .held_ns = figures->hold.total_ns};
    row->wait_max_ns = figures->wait.max_ns;
    row->hold_max_ns = figures->hold.max_ns;
}

static struct top_table locks_of(const struct looking *looking, struct top_view *view) {
    struct model *model = looking->model;
    struct usages usages = usages_collect(model);
    size_t most = usages.count + model->wait_count + 1;
    struct top_table table = {.rows = pool_array(&model->pool, most, sizeof *table.rows)};
    view->holds = usages.holds;
    for (size_t i = 0; i < usages.count; i++) {
        const struct model_class *class = usages.list[i].class;
        if (usages.list[i].at)
            continue;
        struct top_row *row = &table.rows[table.count++];
        *row = (struct top_row){.key = class->id, .words = class->name};
        set_figures(row, &usages.list[i].figures);
    }
    for (size_t i = 0; i < model->wait_count; i++) {
        const struct model_wait *wait = &model->waits[i];
        const struct model_class *class = wait->lock ? wait->lock->class : NULL;
        if (!class || !goes_on(looking, wait))
            continue;
        struct top_row *row = row_of(&table, class->id);
        row->words = class->name;
        add_wait(looking, row, wait);
    }
    return table;
}

/* ---- threads ---- */

static const char *thread_key(struct model *model, const struct model_process *process, uint32_t serial) {
    return pool_printf(&model->pool, "%u/%lu/%u", process->header->pid,
                       (unsigned long)process->header->start_realtime_ns, serial);
}

static struct top_table threads_of(const struct looking *looking) {
    struct model *model = looking->model;
    struct thread_waits_list list = thread_waits_collect(model);
    size_t most = list.count + model->wait_count + 1;
    struct top_table table = {.rows = pool_array(&model->pool, most, sizeof *table.rows)};
    for (size_t i = 0; i < list.count; i++) {
        const struct thread_waits *waits = &list.rows[i];
        table.rows[table.count++] =
            (struct top_row){.key = thread_key(model, waits->process, waits->serial),
                             .words = thread_words(model, waits->process, waits->thread),
                             .sums = {.waits = waits->count, .wait_ns = waits->total_ns},
                             .wait_max_ns = waits->max_ns};
    }
    for (size_t i = 0; i < model->wait_count; i++) {
        const struct model_wait *wait = &model->waits[i];
        if (!goes_on(looking, wait))
            continue;
        struct top_row *row = row_of(&table, thread_key(model, wait->process, wait->thread->serial));
        row->words = pool_printf(&model->pool, "%s %s", thread_words(model, wait->process, wait->thread),
                                 wait_words(&model->pool, wait));
        row->since_ns = so_far(looking, wait);
        add_wait(looking, row, wait);
    }
    return table;
}

/* ---- since the look before ---- */

static int by_key(const void *a, const void *b) {
    return strcmp(((const struct top_row *)a)->key, ((const struct top_row *)b)->key);
}

static uint64_t more(uint64_t now, uint64_t before) { return now > before ? now - before : 0; }

static void compare_with(struct top_row *row, const struct top_past *past) {
    const struct top_row *found =
        past->count ? bsearch(row, past->rows, past->count, sizeof *past->rows, by_key) : NULL;
    struct top_sums before = found ? found->sums : (struct top_sums){0};
    row->more = (struct top_sums){.waits = more(row->sums.waits, before.waits),
                                  .wait_ns = more(row->sums.wait_ns, before.wait_ns),
                                  .taken = more(row->sums.taken, before.taken),
                                  .held_ns = more(row->sums.held_ns, before.held_ns)};
}

static int by_cost(const void *a, const void *b) {
    const struct top_row *one = a, *other = b;
    const uint64_t left[] = {one->more.wait_ns, one->since_ns, one->waiting, one->sums.wait_ns};
    const uint64_t right[] = {other->more.wait_ns, other->since_ns, other->waiting, other->sums.wait_ns};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        if (left[i] != right[i])
            return left[i] > right[i] ? -1 : 1;
    int words = strcmp(one->words, other->words);
    return words ? words : by_key(a, b);
}

static void put_in_order(struct top_table *table, const struct top_past *past) {
    for (size_t i = 0; i < table->count; i++)
        compare_with(&table->rows[i], past);
    if (table->count)
        qsort(table->rows, table->count, sizeof *table->rows, by_cost);
}

static void remember(struct top_past *past, const struct top_view *view, uint64_t now_ns) {
    const struct top_table *tables[] = {&view->locks, &view->threads};
    top_forget(past);
    past->at_ns = now_ns;
    past->rows = pool_array(&past->pool, view->locks.count + view->threads.count + 1, sizeof *past->rows);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < tables[k]->count; i++)
            past->rows[past->count++] = (struct top_row){
                .key = pool_string(&past->pool, tables[k]->rows[i].key), .sums = tables[k]->rows[i].sums};
    if (past->count)
        qsort(past->rows, past->count, sizeof *past->rows, by_key);
}

void top_forget(struct top_past *past) {
    pool_free(&past->pool);
    *past = (struct top_past){0};
}

static uint64_t last_end(const struct model *model) {
    uint64_t last = 0;
    for (size_t i = 0; i < model->process_count; i++) {
        uint64_t end = model->processes[i].header->end_realtime_ns;
        last = end > last ? end : last;
    }
    return last;
}

/* At the first look: since the first process began, to where the last one ended. */
static double seconds_since(const struct looking *looking, const struct top_past *past) {
    const struct model *model = looking->model;
    uint64_t start = past->at_ns, end = looking->now_ns;
    if (start == 0 && model->process_count) {
        start = model->processes[0].header->start_realtime_ns;
        end = looking->any_runs ? end : last_end(model);
    }
    return end > start ? (double)(end - start) / NS_IN_S : 0;
}

struct top_view top_look(struct model *model, struct top_past *past, uint64_t now_ns) {
    struct looking looking = {model, now_ns, model_runs(model)};
    struct top_view view = {.seconds = seconds_since(&looking, past)};
    view.locks = locks_of(&looking, &view);
    view.threads = threads_of(&looking);
    put_in_order(&view.locks, past);
    put_in_order(&view.threads, past);
    remember(past, &view, now_ns);
    return view;
}
