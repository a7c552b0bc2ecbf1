#include <ctype.h>
#include <string.h>

#include "clock.h"
#include "format.h"
#include "format_stacks.h"
#include "ink.h"
#include "kinds.h"
#include "misuse_words.h"
#include "narrative.h"
#include "stacks.h"
#include "wait_words.h"

#define BRIEF_FINDINGS 3 /* told in full on one screen */
#define WIDTH          100

static const struct {
    uint32_t bit;
    const char *name, *words;
} degradations[] = {
    {LGR_DEGRADED_DISK, "disk", "the disk was full or not writable: recording ended early"},
    {LGR_DEGRADED_MAX_DATA, "max-data", "max_data was reached: from then on only findings were recorded"},
    {LGR_DEGRADED_MEMORY, "memory", "the memory budget was spent: the oldest dead evidence was dropped"},
    {LGR_DEGRADED_SEARCH, "search", "a search for cycles ran out of its work budget: some may be missing"},
    {LGR_DEGRADED_FILE, "file", "the program closed or replaced the evidence file: recording ended early"},
    {LGR_DEGRADED_UNWIND, "unwind", "no unwinder could be loaded: stacks are incomplete"},
    {LGR_DEGRADED_LEFT, "left",
     "a signal handler left the runtime in the middle of its work: watching ended then"},
};

const char *degraded_words(uint32_t bit) {
    for (size_t i = 0; i < sizeof degradations / sizeof *degradations; i++)
        if (degradations[i].bit == bit)
            return degradations[i].words;
    return NULL;
}

const char *degraded_name(uint32_t bit) {
    for (size_t i = 0; i < sizeof degradations / sizeof *degradations; i++)
        if (degradations[i].bit == bit)
            return degradations[i].name;
    return NULL;
}

/* ---- numbers and times ---- */

/* 4512 as "4,512". */
static const char *grouped(struct pool *pool, uint64_t number) {
    const char *digits = pool_printf(pool, "%lu", (unsigned long)number);
    size_t length = strlen(digits);
    char *result = pool_alloc(pool, length + length / 3 + 1), *end = result;
    for (size_t i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *end++ = ',';
        *end++ = digits[i];
    }
    return result;
}

static const char *counted(struct pool *pool, uint64_t number, const char *thing) {
    return pool_printf(pool, "%s %s%s", grouped(pool, number), thing, number == 1 ? "" : "s");
}

static const char *clock_time(struct pool *pool, uint64_t realtime_ns) {
    return clock_words(pool, realtime_ns, "%Y-%m-%d %H:%M:%S");
}

/* ---- head ---- */

static const char *process_end(struct pool *pool, const struct model_process *process) {
    const struct lgr_header_copy *header = process->header;
    if (header->ended == LGR_EXITED && header->exit_status > 128 && header->exit_status <= 128 + 64)
        return pool_printf(pool, "exit %d (signal %d)", header->exit_status, header->exit_status - 128);
    if (header->ended == LGR_EXITED)
        return pool_printf(pool, "exit %d", header->exit_status);
    if (process->replaced)
        return "became another program";
    return process->alive ? "still running" : "ended without exit()";
}

static void add_merged(struct text *out, struct model *model, const struct model_process *process) {
    const struct lgr_header_copy *header = process->header;
    text_printf(
        out, "%s, merged, the first started %s",
        lgr_merged(process->file) == 1
            ? "1 process"
            : pool_printf(&model->pool, "%s processes", grouped(&model->pool, lgr_merged(process->file))),
        clock_time(&model->pool, header->start_realtime_ns));
    if (header->end_realtime_ns)
        text_printf(out, ", the last ended %s", clock_time(&model->pool, header->end_realtime_ns));
    text_add(out, "\n");
}

void format_text_process(struct text *out, struct model *model, const struct model_process *process) {
    const struct lgr_header_copy *header = process->header;
    if (lgr_merged(process->file)) {
        add_merged(out, model, process);
        return;
    }
    text_printf(out, "%s (pid %u), started %s", process->program, header->pid,
                clock_time(&model->pool, header->start_realtime_ns));
    if (header->end_realtime_ns > header->start_realtime_ns)
        text_printf(out, ", ran %.1f s", (double)(header->end_realtime_ns - header->start_realtime_ns) / 1e9);
    text_printf(out, ", %s\n", process_end(&model->pool, process));
}

#define PROCESSES_SHOWN 5

/* 2: has a finding, 1: took locks, 0: neither, negative: not worth a line,
 * because exec replaced it. */
static int interest(const struct model *model, const struct model_process *process) {
    for (size_t i = 0; i < model->finding_count; i++)
        if (model->findings[i].process == process)
            return 2;
    return process->replaced ? -1 : process->header->locks > 0;
}

static void add_processes(struct text *out, struct model *model) {
    size_t told = 0;
    for (int wanted = 2; wanted >= 0; wanted--)
        for (size_t i = 0; i < model->process_count; i++)
            if (interest(model, &model->processes[i]) == wanted && told++ < PROCESSES_SHOWN)
                format_text_process(out, model, &model->processes[i]);
    if (told > PROCESSES_SHOWN)
        text_printf(out, "and %zu more\n", told - PROCESSES_SHOWN);
}

/* "2 errors, 1 note", in brackets behind a good verdict. */
static void add_parts(struct text *out, struct model *model, const char *const *parts, size_t count,
                      bool color) {
    bool good = model_count_at_least(model, LGR_WARNING) == 0;
    enum ink ink = model_count_of(model, LGR_ERROR) ? INK_ERROR : INK_WARNING;
    for (size_t i = 0; i < count; i++) {
        const char *part = pool_printf(&model->pool, "%s%s", i ? ", " : good ? " (" : "", parts[i]);
        ink_add(out, color && !good, ink, part);
    }
    text_add(out, good && count ? ")" : "");
}

static void add_verdict(struct text *out, struct model *model, bool color) {
    size_t errors = model_count_of(model, LGR_ERROR), warnings = model_count_of(model, LGR_WARNING);
    size_t notes = model_count_of(model, LGR_NOTE), suppressed = model_count_suppressed(model);
    const char *parts[4];
    size_t count = 0;
    text_add(out, "lockgraph: ");
    if (model->finding_count == 0 && model->coverage.locks == 0) {
        ink_add(out, color, INK_WARNING, "nothing was seen");
        text_add(out, ": no process took a lock that can be followed\n");
        return;
    }
    if (errors + warnings == 0)
        ink_add(out, color, INK_GOOD, "no problem found");
    if (errors)
        parts[count++] = counted(&model->pool, errors, "error");
    if (warnings)
        parts[count++] = counted(&model->pool, warnings, "warning");
    if (notes)
        parts[count++] = counted(&model->pool, notes, "note");
    if (suppressed)
        parts[count++] = pool_printf(&model->pool, "%s suppressed", grouped(&model->pool, suppressed));
    add_parts(out, model, parts, count, color);
    text_add(out, "\n");
}

/* ---- one finding ---- */

static void add_process_count(struct text *out, const struct model *model,
                              const struct model_finding *finding) {
    size_t all = 0;
    for (size_t i = 0; i < model->process_count; i++)
        all += lgr_merged(model->processes[i].file) ? lgr_merged(model->processes[i].file) : 1;
    if (all > finding->process_count)
        text_printf(out, ", in %zu of %zu processes", finding->process_count, all);
    else
        text_printf(out, ", in %zu processes", finding->process_count);
}

static void add_headline(struct text *out, struct model *model, const struct model_finding *finding,
                         bool color, bool told) {
    char severity[16] = "";
    const char *name = severity_name(finding->severity), *verdict = verdict_name(finding->verdict);
    for (size_t i = 0; name[i] && i + 1 < sizeof severity; i++)
        severity[i] = (char)toupper((unsigned char)name[i]);
    ink_add(out, color, ink_of_severity(finding->severity), severity);
    text_printf(out, " %s %s: ", kind_name(finding->kind), finding->id);
    ink_add(out, color, INK_BOLD, finding->title);
    if (verdict)
        text_printf(out, " (%s)", verdict);
    if (finding->count > 1 && finding->verdict != LGR_VERDICT_ACTUAL)
        text_printf(out, ", seen %s times", grouped(&model->pool, finding->count));
    if (model->process_count > 1 || finding->process_count > 1)
        add_process_count(out, model, finding);
    text_add(out, told ? ": told above\n" : "\n");
}

static void add_participants(struct text *out, struct model *model, const struct model_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++) {
        const struct model_edge *edge = &finding->edges[i];
        if (!FOLDED(finding->edge_count, i))
            text_printf(out, "  %s: %s\n", edge->thread->label, narrate_edge(&model->pool, finding, edge));
        else if (i == FOLD_KEEP)
            text_printf(out, "  … %zu more …\n", finding->edge_count - 2 * FOLD_KEEP);
    }
}

static void add_steps(struct text *out, const struct model_finding *finding, size_t width) {
    if (finding->step_count)
        text_printf(out, "  %s:\n", finding->steps_heading);
    for (size_t i = 0; i < finding->step_count; i++) {
        text_printf(out, "    %zu. ", i + 1);
        text_wrap(out, finding->steps[i], 7, 7, width);
    }
}

const char *format_text_why(struct pool *pool, const struct model_finding *finding) {
    const char *verdict = verdict_name(finding->verdict);
    return pool_printf(pool, "Why %s",
                       finding->severity == LGR_NOTE ? "only a note"
                       : verdict                     ? verdict
                                                     : "so");
}

const char *format_text_cure(const struct model_finding *finding) {
    return finding->severity == LGR_NOTE ? "To be safe" : "What to change";
}

static void add_reason(struct text *out, struct pool *pool, const char *label, const char *sentence,
                       size_t width) {
    if (sentence[0] == 0)
        return;
    text_add(out, "  ");
    text_wrap(out, pool_printf(pool, "%s: %s.", label, sentence), 2, 4, width);
}

static void add_reasons(struct text *out, struct model *model, const struct model_finding *finding,
                        size_t width) {
    add_reason(out, &model->pool, format_text_why(&model->pool, finding), finding->why, width);
    add_reason(out, &model->pool, format_text_cure(finding), finding->advice, width);
}

static size_t width_for(const struct format_options *options) {
    enum { NARROWEST = 40 };
    if (options->columns == 0 || options->columns > WIDTH)
        return WIDTH;
    return options->columns < NARROWEST ? NARROWEST : options->columns;
}

/* Locks whose short name is a place: told in full once. */
static void add_lock_names(struct text *out, const struct model_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++) {
        const struct model_lock *lock = finding->edges[i].from;
        if (lock && (i == 0 || !is_misuse(finding)) && !FOLDED(finding->edge_count, i) &&
            strcmp(lock->name, lock->short_name) != 0)
            text_printf(out, "  %s: %s\n", finding->edges[i].from_label, lock->name);
    }
}

static void add_stacks(struct text *out, struct model *model, const struct model_finding *finding,
                       bool color) {
    if (finding->edge_count)
        text_add(out, "  Stacks:\n");
    for (size_t i = 0; i < finding->edge_count; i++)
        format_edge_stacks(out, model, finding, &finding->edges[i], color);
}

void format_text_finding(struct text *out, struct model *model, const struct model_finding *finding,
                         const struct format_options *options) {
    add_headline(out, model, finding, options->color, false);
    if (!is_misuse(finding))
        add_participants(out, model, finding);
    add_lock_names(out, finding);
    add_steps(out, finding, width_for(options));
    add_reasons(out, model, finding, width_for(options));
    if (!options->brief)
        add_stacks(out, model, finding, options->color);
    text_add(out, "\n");
}

static bool told_before(const struct model_finding *finding, const struct format_options *options) {
    for (size_t i = 0; i < options->told_count; i++)
        if (strcmp(options->told[i], finding->id) == 0)
            return true;
    return false;
}

/* The gravest in full, the others by their headline. */
static bool in_full(const struct model_finding *finding, const struct format_options *options, size_t told) {
    return !options->brief || (told < BRIEF_FINDINGS && !told_before(finding, options));
}

static void add_findings(struct text *out, struct model *model, const struct format_options *options) {
    size_t told = 0, headlines = 0;
    for (size_t i = 0; i < model->finding_count; i++) {
        const struct model_finding *finding = &model->findings[i];
        if (finding->suppression || (finding->severity == LGR_NOTE && !options->show_notes))
            continue;
        bool full = in_full(finding, options, told);
        if (full)
            format_text_finding(out, model, finding, options);
        else
            add_headline(out, model, finding, options->color, told_before(finding, options));
        told += full;
        headlines += !full;
    }
    if (headlines)
        text_add(out, "\n");
}

/* ---- waits ---- */

static void add_wait(struct text *out, struct model *model, const struct model_wait *wait) {
    text_printf(out, "  %s %s\n", wait->thread->label, wait_words(&model->pool, wait));
}

#define WAITS_SHOWN 12

void format_text_waits(struct text *out, struct model *model, const struct format_options *options) {
    if (model->wait_count == 0)
        return;
    ink_add(out, options->color, INK_BOLD, "Waiting when last seen:");
    text_add(out, "\n");
    size_t shown = options->brief && model->wait_count > WAITS_SHOWN ? WAITS_SHOWN : model->wait_count;
    for (size_t i = 0; i < shown; i++)
        add_wait(out, model, &model->waits[i]);
    if (shown < model->wait_count)
        text_printf(out, "  … %zu more threads wait\n", model->wait_count - shown);
    text_add(out, "\n");
}

/* ---- foot ---- */

void format_text_coverage(struct text *out, struct model *model) {
    const struct coverage *sum = &model->coverage;
    struct pool *pool = &model->pool;
    text_printf(out, "Coverage: %s, %s, %s", counted(pool, sum->locks, "lock"),
                counted(pool, sum->threads, "thread"),
                counted(pool, sum->acquisitions_nested, "nested acquisition"));
    text_printf(out, ", %s, %s contended", counted(pool, sum->edges, "ordered pair"),
                grouped(pool, sum->contended));
    if (sum->processes > 1)
        text_printf(out, ", in %zu processes", sum->processes);
    text_add(out, ".\n");
    if (sum->unwrapped)
        text_printf(out, "  Not seen: %s that could not be followed.\n",
                    counted(pool, sum->unwrapped, "event"));
    if (sum->dropped)
        text_printf(out, "  Not recorded: %s.\n", counted(pool, sum->dropped, "record"));
    for (unsigned i = 0; i < 32; i++)
        if (sum->degraded & 1u << i) {
            const char *words = degraded_words(1u << i);
            text_printf(out, "  Degraded: %s.\n", words ? words : "for a reason this version does not know");
        }
    if (sum->damaged)
        text_printf(out, "  Damaged: %s in the evidence could not be read.\n",
                    counted(pool, sum->damaged, "record"));
    if (sum->unknown)
        text_printf(out, "  Unknown: %s come from a newer version.\n", counted(pool, sum->unknown, "record"));
}

static void add_hints(struct text *out, struct model *model, const struct format_options *options) {
    size_t notes = model_count_of(model, LGR_NOTE);
    const char *problem;
    for (size_t i = 0; (problem = symbols_problem(model->symbols, i)); i++)
        text_printf(out, "Symbols: %s.\n", problem);
    if (options->have_command)
        text_printf(out, "The program's own exit status: %d.\n", options->command_status);
    if (notes && !options->show_notes)
        text_printf(out, "Hidden: %s (--show notes).\n", counted(&model->pool, notes, "note"));
    format_order(out, model, options);
    format_suppressions(out, model, options->brief);
    if (options->directory)
        text_printf(out, "Evidence: %s.  Stacks and more: lockgraph report%s%s\n",
                    text_clean(&model->pool, options->directory), options->default_directory ? "" : " ",
                    options->default_directory ? "" : text_clean(&model->pool, options->directory));
}

void format_text(struct text *out, struct model *model, const struct format_options *options) {
    add_verdict(out, model, options->color);
    add_processes(out, model);
    text_add(out, "\n");
    add_findings(out, model, options);
    format_text_waits(out, model, options);
    format_text_coverage(out, model);
    add_hints(out, model, options);
}
