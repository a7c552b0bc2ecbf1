/* `lockgraph run`: starts a program under the runtime, watches the evidence
 * grow, tells the verdict. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "data_dir.h"
#include "exit_code.h"
#include "ink.h"
#include "order_file.h"
#include "preload.h"
#include "probe.h"
#include "run_files.h"
#include "run_job.h"
#include "run_order.h"
#include "run_settings.h"
#include "run_status.h"
#include "run_told.h"
#include "run_verdict.h"
#include "run_watch.h"
#include "suppress.h"

/* One run, from the command line to the exit status. */
struct run {
    struct pool pool;
    struct run_settings settings;
    struct lgp_options options;
    struct probe probe;
    struct suppressions suppressions;
    struct order order;
    const char *runtime;
    const struct lgr_told *told; /* NULL: there is none */
    bool default_directory;
    struct run_files files;
    struct format_options format;
    struct watch watch;
    struct job job;
    struct timespec deadline; /* with settings.timeout */
    bool timed_out;
    char **arguments;
};

static double seconds_left(const struct run *run) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(run->deadline.tv_sec - now.tv_sec) + (double)(run->deadline.tv_nsec - now.tv_nsec) / 1e9;
}

static void set_deadline(struct run *run) {
    clock_gettime(CLOCK_MONOTONIC, &run->deadline);
    time_t whole = (time_t)run->settings.timeout;
    run->deadline.tv_sec += whole;
    run->deadline.tv_nsec += (long)((run->settings.timeout - (double)whole) * 1e9);
}

/* ---- before ---- */

static bool prepare_options(struct run *run, const char **error) {
    if (!run_runtime_options(&run->pool, &run->settings, &run->options, error))
        return false;
    if (run->settings.findings_code < 0)
        run->settings.findings_code = run->options.exitcode ? run->options.exitcode : EXIT_FINDINGS;
    run->options.exitcode = 0; /* the launcher's business now */
    run->options.launcher = true;
    return true;
}

static bool prepare_directory(struct run *run, const char **error) {
    run->files.directory = data_dir_prepare(&run->pool, run->options.data, run->settings.append, error);
    if (!run->files.directory)
        return false;
    if (strlen(run->files.directory) >= sizeof run->options.data) {
        *error = "the name of the directory is too long";
        return false;
    }
    run->default_directory = strcmp(run->options.data, DEFAULT_DATA_DIR) == 0;
    strcpy(run->options.data, run->files.directory);
    data_dir_list(&run->pool, run->files.directory, &run->files.before);
    return true;
}

static void prepare_format(struct run *run) {
    run->format = (struct format_options){.color = ink_wanted(stderr),
                                          .columns = ink_columns(stderr),
                                          .brief = true,
                                          .order = &run->order,
                                          .show_notes = run->settings.strict,
                                          .directory = run->files.directory,
                                          .default_directory = run->default_directory};
    run->watch = (struct watch){.files_of_run = &run->files, .suppressions = &run->suppressions};
}

static void prepare_told(struct run *run) {
    const char *option;
    run->told = told_make(&run->pool, &option);
    if (!run->told)
        return;
    strcpy(run->options.told, option); /* shorter than LGR_TOLD_TEXT */
    run->files.key = run->told->key;
}

/* Once it is certain that the program will be started: this reads all its symbols. */
static bool prepare_order(struct run *run, const char **error) {
    if (run->order.class_count == 0)
        return true;
    const char *option = order_hand_over(&run->pool, &run->order, run->probe.path, error);
    if (option)
        strcpy(run->options.order, option); /* shorter than LGR_HANDED_TEXT */
    return option != NULL;
}

static bool start(struct run *run, const char **error) {
    struct job_environment environment = {
        .preload = preload_value(&run->pool, run->runtime, getenv("LD_PRELOAD"), run->probe.sanitizer),
        .options = options_value(&run->pool, &run->options)};
    fflush(NULL);
    if (job_start(&run->job, run->arguments, &environment))
        return true;
    *error = pool_printf(&run->pool, "cannot start a process: %s", strerror(errno));
    return false;
}

/* ---- while ---- */

static bool tick(struct job *job, void *context) {
    struct run *run = context;
    (void)job;
    watch_look(&run->watch, &run->format);
    if (run->watch.deadlock && run->options.on_deadlock == LGP_ON_DEADLOCK_KILL)
        return false;
    run->timed_out = run->settings.timeout > 0 && seconds_left(run) <= 0;
    return !run->timed_out;
}

static void follow(struct run *run) {
    job_wait(&run->job, tick, run);
    watch_look(&run->watch, &run->format); /* what came between the last look and the end */
    bool deadlock_ends = run->watch.deadlock && run->options.on_deadlock == LGP_ON_DEADLOCK_KILL;
    if (!run->job.ended && run->timed_out) {
        struct path_list files = run_files_list(&run->pool, &run->files);
        complain("the time limit of %g s is reached: ending %s", run->settings.timeout, run->arguments[0]);
        tell_waits(&files, run->job.child, &run->format);
    }
    if (run->timed_out || deadlock_ends)
        job_kill(&run->job, !deadlock_ends);
    job_finish(&run->job);
}

/* ---- after ---- */

static int conclude(struct run *run) {
    struct outcome outcome = {.findings_code = run->settings.findings_code,
                              .timed_out = run->timed_out,
                              .require_seen = run->settings.require_coverage,
                              .command_status = exit_code_of_wait_status(run->job.status)};
    struct path_list files = run_files_list(&run->pool, &run->files);
    record_status(&files, run->job.child, outcome.command_status);
    run->format.have_command = true;
    run->format.command_status = outcome.command_status;
    run->format.told = run->watch.told;
    run->format.told_count = run->watch.told_count;
    struct verdict verdict = {.files = &files,
                              .command = run->arguments[0],
                              .probe = &run->probe,
                              .told = run->told,
                              .directory = run->files.directory,
                              .fail_on = run->settings.fail_on,
                              .strict = run->settings.strict,
                              .quiet = !run->options.verdict,
                              .suppressions = &run->suppressions,
                              .format = run->format};
    tell_verdict(&verdict, &outcome);
    if (files.count == 0 && run->files.before.count == 0)
        rmdir(run->files.directory); /* nothing came: leave nothing */
    return exit_code_of_run(&outcome);
}

static int cannot_run(const struct run *run, int error) {
    bool missing = error == ENOENT || error == ENOTDIR;
    complain("cannot run %s: %s", run->arguments[0], strerror(error));
    return missing ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static int not_started(struct run *run) {
    job_kill(&run->job, false);
    job_finish(&run->job);
    if (run->files.before.count == 0)
        rmdir(run->files.directory);
    return cannot_run(run, run->job.start_error);
}

/* Whatever can be refused is refused before the data directory is touched. */
static int prepare(struct run *run) {
    const char *error = NULL;
    run->probe = probe_program(&run->pool, run->arguments[0]);
    if (!run->probe.path)
        return cannot_run(run, ENOENT);
    if (!prepare_options(run, &error)) {
        complain("run: %s", error);
        return EXIT_USAGE;
    }
    if (!suppressions_load(&run->pool, &run->suppressions, run->settings.suppression_files,
                           run->settings.suppression_file_count))
        return EXIT_USAGE;
    if (!order_load(&run->pool, &run->order, run->settings.order_file))
        return EXIT_USAGE;
    bless_in_suppressions(&run->pool, &run->order, &run->suppressions);
    run->runtime = find_runtime(&run->pool, &error);
    if (!run->runtime) {
        complain("run: %s", error);
        return EXIT_INTERNAL;
    }
    if (!prepare_order(run, &error)) {
        complain("run: %s", error);
        return EXIT_INTERNAL;
    }
    if (!prepare_directory(run, &error)) {
        complain("run: %s", error);
        return EXIT_USAGE;
    }
    prepare_told(run);
    prepare_format(run);
    return EXIT_CLEAN;
}

static int execute(struct run *run) {
    const char *error = NULL;
    int status = prepare(run);
    if (status != EXIT_CLEAN)
        return status;
    if (!start(run, &error)) {
        complain("run: %s", error);
        return EXIT_INTERNAL;
    }
    if (run->job.start_error)
        return not_started(run);
    if (run->settings.timeout > 0)
        set_deadline(run);
    follow(run);
    return conclude(run);
}

static int list_options(struct run *run) {
    const char *error = NULL;
    if (!prepare_options(run, &error)) {
        complain("run: %s", error);
        return EXIT_USAGE;
    }
    char *buffer = pool_alloc(&run->pool, LGP_OPTIONS_TEXT_SIZE);
    struct lgp_text text = {buffer, LGP_OPTIONS_TEXT_SIZE, 0};
    if (!run->options.help) {
        complain("run: which program?\nTry: lockgraph help run");
        return EXIT_USAGE;
    }
    lgp_options_help(&run->options, &text);
    fputs(buffer, stdout);
    return EXIT_CLEAN;
}

static int run_main(const struct command *command, int count, char **arguments) {
    struct run *run = checked_resize(NULL, 1, sizeof *run);
    *run = (struct run){.settings = {.fail_on = LGR_ERROR, .findings_code = -1}, .arguments = arguments};
    int operands = command_options(command, count, arguments, &run->settings);
    int status = operands < 0 ? command_options_status(operands) : 0;
    if (operands >= 0) {
        arguments[operands] = NULL; /* at most where main's own terminator is */
        status = operands ? execute(run) : list_options(run);
    }
    watch_free(&run->watch);
    pool_free(&run->pool);
    free(run->settings.given);
    free(run->settings.suppression_files);
    free(run);
    return status;
}

const struct command run_command = {
    .name = "run",
    .summary = "run a program and tell what its locks do",
    .synopsis = "[options] [--] CMD [ARG…]",
    .description =
        "Runs CMD unchanged, with every lock call of it and its children watched, and prints the verdict\n"
        "to the standard error when CMD ends; a deadlock is told at once, while the program hangs.\n"
        "Exit status: 66 a finding at or above --fail-on, whatever CMD's own status; else CMD's own\n"
        "(128+n for signal n); 124 stopped by --timeout; 69 nothing was seen and --require-coverage;\n"
        "2 usage or a mistake in a suppression or order file; 127 CMD not found.",
    .examples = "  lockgraph run -- ./server --port 8080\n"
                "  lockgraph run --on-deadlock kill --timeout 60 -- make test\n"
                "  lockgraph run -O unwinder=fp:stack_depth=40 -- ./bench\n",
    .options = run_options,
    .symbolises = true,
    .apply = run_apply,
    .operands_end_options = true,
    .run = run_main,
};
