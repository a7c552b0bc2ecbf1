/* `lockgraph top`: who waits for which locks, now, again and again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "data_dir.h"
#include "exit_code.h"
#include "ink.h"
#include "live.h"
#include "output.h"
#include "pause.h"
#include "top_rows.h"
#include "top_text.h"

#define ROWS 20

struct settings {
    size_t count, rows; /* looks: 0, no end */
    double interval;
};

static const struct command_option options[] = {
    {"interval", 'i', "SEC", "time between two looks (default 1)"},
    {"count", 'n', "N", "so many looks; without it until the processes end, or q or Ctrl-C"},
    {"once", 0, NULL, "one look"},
    {"top", 0, "N", "how many locks and threads to tell (default 20, or what the terminal has room for)"},
    {0},
};

static bool set_interval(double *seconds, const char *value, char *error) {
    char *end;
    *seconds = strtod(value, &end);
    snprintf(error, 256, "give a number of seconds from 0.1 to 3600");
    return end != value && !*end && *seconds >= 0.1 && *seconds <= 3600;
}

static bool apply(void *target, const struct command_option *option, const char *value, char *error) {
    struct settings *settings = target;
    if (strcmp(option->name, "interval") == 0)
        return set_interval(&settings->interval, value, error);
    if (strcmp(option->name, "count") == 0)
        return command_count(value, &settings->count, error);
    if (strcmp(option->name, "top") == 0)
        return command_count(value, &settings->rows, error);
    settings->count = 1;
    return true;
}

/* ---- one look ---- */

/* A screen that is written over; what a pipe or a file gets goes on and on. */
static struct top_page page_of(const struct settings *settings, bool screen) {
    struct winsize size = {0};
    struct top_page page = {.locks = settings->rows,
                            .threads = settings->rows,
                            .columns = ink_columns(stdout),
                            .color = ink_wanted(stdout)};
    if (screen && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        page.lines = size.ws_row;
    return page;
}

/* ECMA-48: to the first line (CUP), each line cleared behind its end (EL), and what is below
 * the last one (ED). */
static void write_over(struct text *screen, const char *lines) {
    text_add(screen, "\033[H");
    for (size_t length; *lines; lines += length + 1) {
        length = strcspn(lines, "\n");
        text_add_n(screen, lines, length);
        text_add(screen, "\033[K\n");
    }
    text_add(screen, "\033[J");
}

static bool show(const struct text *lines, bool screen, bool first) {
    struct text out = {0};
    if (screen)
        write_over(&out, text_string(lines));
    else
        text_printf(&out, "%s%s", first ? "" : "\n", text_string(lines));
    bool written = output_write(&out, NULL, "we");
    if (!written)
        complain("cannot write what was found: %s", strerror(errno));
    text_free(&out);
    return written;
}

static bool look(const struct settings *settings, struct model *model, struct top_past *past, bool screen) {
    struct text lines = {0};
    uint64_t now = clock_now_ns(CLOCK_REALTIME);
    bool first = past->at_ns == 0;
    struct top_page page = page_of(settings, screen);
    struct top_view view = top_look(model, past, now);
    top_text(&lines, model, &view, now, &page);
    bool written = show(&lines, screen, first);
    text_free(&lines);
    return written;
}

/* ---- again and again ---- */

/* As long as a look takes, at least: a large file must not cost a processor. */
static bool wait_for_next(const struct settings *settings, uint64_t begun_ns) {
    double took = (double)(clock_now_ns(CLOCK_MONOTONIC) - begun_ns) / 1e9;
    double left = settings->interval - took;
    return pause_for(left > took ? left : took);
}

static int last_look(const struct model *model) {
    live_complain(model);
    return model->unreadable ? EXIT_UNREADABLE : EXIT_CLEAN;
}

static int look_on(const struct settings *settings, struct live *live, struct top_past *past, bool screen) {
    for (size_t looks = 1;; looks++) {
        uint64_t begun = clock_now_ns(CLOCK_MONOTONIC);
        struct model *model = live_look(live, (struct model_options){0});
        if (!model)
            return EXIT_UNREADABLE;
        int status = EXIT_CLEAN;
        bool written = model->process_count == 0 || look(settings, model, past, screen);
        bool ends = !written || !model_runs(model) || looks == settings->count;
        if (!ends)
            ends = !wait_for_next(settings, begun);
        if (ends)
            status = written ? last_look(model) : EXIT_INTERNAL;
        model_free(model);
        if (ends)
            return status;
    }
}

static int top_of(const struct settings *settings, struct live *live) {
    struct top_past past = {0};
    bool screen = isatty(STDOUT_FILENO) && settings->count != 1;
    const char *terminal = getenv("TERM");
    screen = screen && terminal && strcmp(terminal, "dumb") != 0;
    pauses_begin(screen);
    if (screen)
        fputs("\033[H\033[2J", stdout);
    int status = look_on(settings, live, &past, screen);
    pauses_end();
    top_forget(&past);
    live_end(live);
    return status;
}

/* A number is a process, anything else a directory or a file. */
static bool take_process(struct live *live) {
    char *end;
    if (live->count != 1 || strspn(live->operands[0], "0123456789") != strlen(live->operands[0]))
        return true;
    errno = 0;
    long pid = strtol(live->operands[0], &end, 10);
    live->pid = (pid_t)pid;
    if (pid > 0 && pid <= INT32_MAX && errno == 0)
        return true;
    complain("top: a process id is a positive number");
    return false;
}

static int top(const struct command *command, int count, char **arguments) {
    struct settings settings = {.rows = ROWS, .interval = 1};
    int operands = command_options(command, count, arguments, &settings);
    if (operands < 0)
        return command_options_status(operands);
    struct live live = {.count = operands, .operands = arguments};
    return take_process(&live) ? top_of(&settings, &live) : EXIT_USAGE;
}

const struct command top_command = {
    .name = "top",
    .summary = "show who waits for which locks, as it happens",
    .synopsis = "[options] [PID|DIR|FILE…]",
    .description =
        "Shows again and again which locks cost most and which threads wait, for what, since when and for\n"
        "whom, of processes that run under Lockgraph: the process PID, or those whose evidence is in DIR\n"
        "(default ./" DEFAULT_DATA_DIR
        ") or the FILEs. It ends with the processes, or with q or Ctrl-C. Figures per\n"
        "second are of the time since the look before, at the first look since the start. What is not\n"
        "written to a terminal comes as plain text, one look after another.\n"
        "Exit status: 0 shown, 2 wrong usage, 65 no such process, or no or unreadable evidence.",
    .examples = "  lockgraph top\n"
                "  lockgraph top 4711\n"
                "  lockgraph top --once --top 5 /var/lib/server/lockgraph.data\n",
    .options = options,
    .symbolises = true,
    .apply = apply,
    .run = top,
};
