/* `lockgraph merge`: the evidence of many processes and runs in one file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "data_dir.h"
#include "exit_code.h"
#include "inputs.h"
#include "may_replace.h"
#include "merge_file.h"
#include "order_words.h"
#include "progress.h"
#include "text.h"

#define MEMORY          ((size_t)64 << 20) /* for records; what is more goes to temporary files */
#define WRITTEN_AT_ONCE ((size_t)256 << 10)

struct settings {
    const char *output;
};

static const struct command_option options[] = {
    {"output", 'o', "FILE", "the file to write; needed"},
    {0},
};

static bool apply(void *target, const struct command_option *option, const char *value, char *error) {
    struct settings *settings = target;
    (void)option;
    snprintf(error, 256, "give the name of the file to write");
    settings->output = value;
    return *value != 0;
}

static bool add_all(struct pool *pool, const struct path_list *inputs, struct merge_sort *sort) {
    char error[512] = "";
    for (size_t i = 0; i < inputs->count; i++) {
        if (!merge_file_add(inputs->paths[i], sort, error, sizeof error)) {
            progress_end();
            complain("%s", text_clean(pool, error));
            return false;
        }
        progress("united file", i + 1, inputs->count);
    }
    return true;
}

/* Beside it first, so that the file is there as a whole or as it was, and may be one of
 * those that were read. */
static bool write_to(struct pool *pool, struct merge_sort *sort, const char *path) {
    if (!may_replace(path)) {
        complain("merge: cannot write %s: " MAY_REPLACE_NOT, text_clean(pool, path));
        return false;
    }
    const char *beside = pool_printf(pool, "%s.%ld.tmp", path, (long)getpid());
    FILE *stream = fopen(beside, "wxe");
    if (stream)
        setvbuf(stream, pool_alloc(pool, WRITTEN_AT_ONCE), _IOFBF, WRITTEN_AT_ONCE);
    bool written = stream && merge_sort_write(sort, stream);
    int error = errno;
    progress_end();
    if (stream && fclose(stream) != 0 && written) {
        written = false;
        error = errno;
    }
    if (written && rename(beside, path) == 0)
        return true;
    error = written ? errno : error;
    if (stream)
        unlink(beside);
    complain("merge: cannot write %s: %s", text_clean(pool, path), strerror(error));
    return false;
}

static int merge_into(struct pool *pool, const char *output, int operands, char **arguments) {
    struct path_list inputs = {0};
    if (!inputs_gather(pool, operands, arguments, &inputs))
        return EXIT_UNREADABLE;
    struct merge_sort *sort = merge_sort_begin(MEMORY);
    int status = EXIT_UNREADABLE;
    if (add_all(pool, &inputs, sort))
        status = write_to(pool, sort, output) ? EXIT_CLEAN : EXIT_INTERNAL;
    merge_sort_free(sort);
    if (status == EXIT_CLEAN)
        printf("lockgraph: %s united in %s\n", order_count(pool, inputs.count, "file", "files"),
               text_clean(pool, output));
    return status;
}

static int merge(const struct command *command, int count, char **arguments) {
    struct settings settings = {0};
    struct pool pool = {0};
    int operands = command_options(command, count, arguments, &settings), status = EXIT_USAGE;
    if (operands < 0)
        return command_options_status(operands);
    if (settings.output)
        status = merge_into(&pool, settings.output, operands, arguments);
    else
        complain("merge: which file is to be written? Name it: lockgraph merge -o FILE DIR…");
    pool_free(&pool);
    return status;
}

const struct command merge_command = {
    .name = "merge",
    .summary = "unite the evidence of many processes and runs in one file",
    .synopsis = "-o FILE [DIR|FILE…]",
    .description =
        "Unites what the processes in DIR (default ./" DEFAULT_DATA_DIR
        ") and the FILEs recorded: evidence, or\n"
        "files that merge has written, in any order; twice is the same as once. Where locks lay in memory\n"
        "does not matter. report, diff, check, why and explain read FILE as they read evidence; two orders\n"
        "of which no process saw both are then found as well (across-runs).\n"
        "Exit status: 0 written, 65 some evidence is unreadable, and nothing was written; 2 usage.",
    .examples = "  lockgraph merge -o all.lgm monday.data tuesday.data\n"
                "  lockgraph merge -o all.lgm all.lgm wednesday.data && lockgraph report all.lgm\n",
    .options = options,
    .apply = apply,
    .run = merge,
};
