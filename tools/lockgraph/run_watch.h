/* Looks into the evidence while the program runs, to tell a deadlock as soon
 * as it is recorded, and a heartbeat as soon as it is missing. */
#ifndef LOCKGRAPH_COMMAND_RUN_WATCH_H
#define LOCKGRAPH_COMMAND_RUN_WATCH_H

#include <stdbool.h>

#include "format.h"
#include "run_files.h"

struct watch {
    struct pool pool;
    const struct run_files *files_of_run;
    const struct suppressions *suppressions;
    void *files;       /* tsearch tree of those seen */
    const char **told; /* ids of findings already printed */
    size_t told_count;
    bool deadlock; /* one was seen */
};

/* Cheap: reads the headers of files whose process has not ended.  Prints new
 * deadlocks and missing heartbeats to the standard error. */
void watch_look(struct watch *watch, const struct format_options *format);
void watch_free(struct watch *watch);

#endif
