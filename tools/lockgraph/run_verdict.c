#include "run_verdict.h"

#include <stdio.h>

#include "command.h"
#include "model.h"
#include "run_snapshot.h"

/* A process that wrote its figures counts at least one thread. */
static bool without_figures(const struct model *model) {
    return model->process_count != 0 && model->coverage.threads == 0;
}

static const char *cause_of_blindness(struct pool *pool, const struct verdict *verdict,
                                      const struct model *model) {
    if (verdict->probe->blind)
        return verdict->probe->blind;
    const char *command = text_clean(pool, verdict->command);
    if (model->process_count == 0 && verdict->told && atomic_load(&verdict->told->unrecorded) != 0)
        return pool_printf(pool, "%s could not record into %s (it says why above)", command,
                           text_clean(pool, verdict->directory));
    if (model->process_count == 0 && !verdict->told)
        return pool_printf(pool,
                           "the runtime was not loaded into %s, or could not record (it then says why above)",
                           command);
    if (model->process_count == 0)
        return pool_printf(pool,
                           "the runtime was not loaded into %s; perhaps it clears LD_PRELOAD, or hands over "
                           "to a program that is static, set-user-id or of another libc",
                           command);
    if (without_figures(model))
        return pool_printf(pool,
                           "%s was killed, crashed or left by _exit before the runtime could say what it saw",
                           command);
    return pool_printf(pool,
                       "%s took no POSIX lock (those of Rust's std, Go and std::atomic waits are out of "
                       "reach)",
                       command);
}

static void warn_blind(const struct verdict *verdict, struct model *model) {
    complain("warning: nothing was seen: %s.", cause_of_blindness(&model->pool, verdict, model));
}

static void name_descendants(struct text *out, const struct model *model) {
    size_t count = 0;
    for (size_t i = 0; i < model->process_count; i++)
        if (model->processes[i].alive)
            text_printf(out, "%s%s (pid %u)",
                        count++ ? ", " : "Still running and recording: ", model->processes[i].program,
                        model->processes[i].header->pid);
    if (count)
        text_add(out, "\n");
}

static void print_descendants(const struct model *model) {
    struct text out = {0};
    name_descendants(&out, model);
    fputs(text_string(&out), stderr);
    text_free(&out);
}

static struct model *load(const struct path_list *files, bool strict,
                          const struct suppressions *suppressions) {
    struct model_options options = {.strict = strict, .suppressions = suppressions};
    struct model *model = model_load(files->paths, files->count, &options);
    for (size_t i = 0; i < model->unreadable; i++)
        complain("%s", model->unreadable_why[i]);
    return model;
}

/* Problems that the program told of itself, and that no file has. */
static void tell_unwritten(struct pool *pool, const struct verdict *verdict, struct outcome *outcome) {
    uint32_t count = verdict->told ? atomic_load(&verdict->told->unwritten) : 0;
    if (count == 0)
        return;
    unsigned worst = verdict->strict ? LGR_ERROR : atomic_load(&verdict->told->worst);
    outcome->findings = outcome->findings || worst >= verdict->fail_on;
    if (!verdict->quiet)
        complain(
            "warning: %u problem%s of %s could not be recorded: errors among them are told above, in short.",
            count, count == 1 ? "" : "s", text_clean(pool, verdict->command));
}

void tell_verdict(const struct verdict *verdict, struct outcome *outcome) {
    struct model *model = load(verdict->files, verdict->strict, verdict->suppressions);
    outcome->findings = model_count_at_least(model, verdict->fail_on) > 0;
    outcome->blind = model->coverage.locks == 0 && !without_figures(model);
    if (!verdict->quiet && model->coverage.locks == 0 && model->finding_count == 0) {
        warn_blind(verdict, model);
        print_descendants(model);
    } else if (!verdict->quiet) {
        struct text out = {0};
        format_text(&out, model, &verdict->format);
        name_descendants(&out, model);
        fputs(text_string(&out), stderr);
        text_free(&out);
    }
    tell_unwritten(&model->pool, verdict, outcome);
    model_free(model);
}

void tell_waits(const struct path_list *files, pid_t child, const struct format_options *format) {
    struct model *model = load(files, false, NULL);
    struct text out = {0};
    format_text_waits(&out, model, format);
    fputs(text_string(&out), stderr);
    tell_snapshots(model, child, format->color);
    text_free(&out);
    model_free(model);
}
