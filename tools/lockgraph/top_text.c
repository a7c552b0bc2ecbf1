#include "top_text.h"

#include <string.h>

#include "clock.h"
#include "format.h"
#include "ink.h"
#include "order_words.h"
#include "stat_cells.h"

struct writing {
    struct text *out;
    struct model *model;
    const struct top_view *view;
    const struct top_page *page;
};

/* Cut to the width of the terminal; `line` is clean. */
static void add_line(const struct writing *writing, enum ink ink, const char *line) {
    size_t columns = writing->page->columns, end = strlen(line), width = text_width(line);
    while (columns && width > columns && end)
        if (((unsigned char)line[--end] & 0xC0) != 0x80) /* the first byte of a character */
            width--;
    const char *kept = pool_string_n(&writing->model->pool, line, end);
    ink_add(writing->out, writing->page->color, ink, kept);
    text_add(writing->out, "\n");
}

/* ---- head ---- */

static const char *process_words(struct model *model) {
    const struct model_process *process = &model->processes[0];
    size_t running = 0;
    for (size_t i = 0; i < model->process_count; i++)
        running += model->processes[i].alive;
    if (model->process_count == 1)
        return pool_printf(&model->pool, "%s (pid %u)%s", process->program, process->header->pid,
                           process->alive ? "" : ", not running");
    return pool_printf(&model->pool, "%zu processes, %zu running", model->process_count, running);
}

static const char *problem_words(struct model *model) {
    size_t errors = model_count_of(model, LGR_ERROR), warnings = model_count_of(model, LGR_WARNING);
    const char *words = "no problem found";
    if (errors)
        words = order_count(&model->pool, errors, "error", "errors");
    if (warnings)
        words = pool_printf(&model->pool, "%s%s%s", errors ? words : "", errors ? ", " : "",
                            order_count(&model->pool, warnings, "warning", "warnings"));
    return words;
}

static enum ink problem_ink(const struct model *model) {
    return model_count_of(model, LGR_ERROR)     ? INK_ERROR
           : model_count_of(model, LGR_WARNING) ? INK_WARNING
                                                : INK_GOOD;
}

static void add_head(const struct writing *writing, uint64_t now_ns) {
    struct model *model = writing->model;
    struct pool *pool = &model->pool;
    add_line(writing, INK_BOLD,
             pool_printf(pool, "lockgraph top, %s: %s; %s, %s, %lu waits so far",
                         clock_words(pool, now_ns, "%H:%M:%S"), process_words(model),
                         order_count(pool, (size_t)model->coverage.threads, "thread", "threads"),
                         order_count(pool, (size_t)model->coverage.locks, "lock", "locks"),
                         (unsigned long)model->coverage.contended));
    add_line(writing, problem_ink(model), problem_words(model));
}

/* ---- tables ---- */

static uint64_t per_second(const struct writing *writing, uint64_t more) {
    double seconds = writing->view->seconds;
    return seconds > 0 ? (uint64_t)((double)more / seconds + 0.5) : 0;
}

/* Figures that fit beside a name of some length; a narrow terminal has the first ones. */
static size_t cells_that_fit(const struct writing *writing, size_t count) {
    enum { NAME = 24 };
    size_t columns = writing->page->columns, room = columns > NAME ? (columns - NAME) / CELL_WIDTH : 0;
    if (columns == 0 || count <= room)
        return count;
    return room ? room : 1;
}

static void add_cells(const struct writing *writing, enum ink ink, const char *const *cells, size_t count,
                      const char *name) {
    struct text line = {0};
    size_t fit = cells_that_fit(writing, count);
    for (size_t i = 0; i < fit; i++)
        add_cell(&line, cells[i]);
    text_printf(&line, "  %s", name);
    add_line(writing, ink, text_string(&line));
    text_free(&line);
}

enum { CELLS = 6, CELLS_WITH_HOLDS = 9 };

static void add_heading(const struct writing *writing, const char *what, bool holds) {
    static const char *const cells[] = {"waiting",  "waits/s", "wait/s", "waits",   "wait total",
                                        "wait max", "taken/s", "held/s", "hold max"};
    text_add(writing->out, "\n");
    add_cells(writing, INK_BOLD, cells, holds ? CELLS_WITH_HOLDS : CELLS, what);
}

static const char *waiting_words(struct pool *pool, const struct top_row *row, bool thread) {
    if (row->waiting == 0)
        return "-";
    if (!thread)
        return pool_printf(pool, "%zu", row->waiting);
    return row->since_ns ? stat_time(pool, row->since_ns) : "yes";
}

static void add_row(const struct writing *writing, const struct top_row *row, bool thread) {
    struct pool *pool = &writing->model->pool;
    const char *cells[CELLS_WITH_HOLDS] = {
        waiting_words(pool, row, thread),
        pool_printf(pool, "%lu", (unsigned long)per_second(writing, row->more.waits)),
        stat_time(pool, per_second(writing, row->more.wait_ns)),
        pool_printf(pool, "%lu", (unsigned long)row->sums.waits),
        stat_time(pool, row->sums.wait_ns),
        stat_time(pool, row->wait_max_ns),
    };
    bool holds = writing->view->holds && !thread;
    if (holds) {
        cells[CELLS] = pool_printf(pool, "%lu", (unsigned long)per_second(writing, row->more.taken));
        cells[CELLS + 1] = stat_time(pool, per_second(writing, row->more.held_ns));
        cells[CELLS + 2] = stat_time(pool, row->hold_max_ns);
    }
    add_cells(writing, row->waiting ? INK_WARNING : INK_NONE, cells, holds ? CELLS_WITH_HOLDS : CELLS,
              row->words);
}

/* Threads that neither wait nor did are left out. */
static bool is_worth_a_row(const struct top_row *row, bool thread) {
    return row->waiting || (thread ? row->more.waits : row->sums.waits);
}

static void add_table(const struct writing *writing, const struct top_table *table, bool thread,
                      size_t most) {
    size_t worth = 0;
    for (size_t i = 0; i < table->count; i++)
        worth += is_worth_a_row(&table->rows[i], thread);
    if (worth == 0) {
        text_add(writing->out, "\n");
        add_line(writing, INK_NONE, thread ? "No thread waits for a lock." : "No lock was waited for.");
        return;
    }
    add_heading(writing, thread ? "thread" : "class of locks", writing->view->holds && !thread);
    size_t told = 0;
    for (size_t i = 0; i < table->count && told < most; i++)
        if (is_worth_a_row(&table->rows[i], thread)) {
            add_row(writing, &table->rows[i], thread);
            told++;
        }
    if (told < worth && !writing->page->lines)
        add_line(writing, INK_NONE, pool_printf(&writing->model->pool, "… %zu more", worth - told));
}

/* Half of a terminal's lines for the locks, the rest for the threads. */
static size_t rows_that_fit(const struct top_page *page, size_t wanted, bool thread) {
    enum { HEAD = 2, HEADINGS = 4, LEAST = 3 };
    if (!page->lines)
        return wanted;
    size_t room = page->lines > HEAD + HEADINGS + 1 ? page->lines - HEAD - HEADINGS - 1 : 0;
    size_t share = thread ? room - room / 2 : room / 2;
    if (share < LEAST)
        share = LEAST;
    return wanted < share ? wanted : share;
}

void top_text(struct text *out, struct model *model, const struct top_view *view, uint64_t now_ns,
              const struct top_page *page) {
    struct writing writing = {out, model, view, page};
    add_head(&writing, now_ns);
    add_table(&writing, &view->locks, false, rows_that_fit(page, page->locks, false));
    add_table(&writing, &view->threads, true, rows_that_fit(page, page->threads, true));
}
