/* What `lockgraph run` says when the program has ended. */
#ifndef LOCKGRAPH_COMMAND_RUN_VERDICT_H
#define LOCKGRAPH_COMMAND_RUN_VERDICT_H

#include <sys/types.h>

#include "data_dir.h"
#include "exit_code.h"
#include "format.h"
#include "probe.h"
#include "record/told.h"
#include "suppress.h"

struct verdict {
    const struct path_list *files; /* of this run */
    const char *command;           /* as given */
    const struct probe *probe;
    const struct lgr_told *told; /* by the program's processes; NULL: not known */
    const char *directory;
    unsigned fail_on;
    bool strict, quiet;
    const struct suppressions *suppressions;
    struct format_options format;
};

/* Prints one screen to the standard error; sets `findings` and `blind`. */
void tell_verdict(const struct verdict *verdict, struct outcome *outcome);

/* Only who waits for what, and where its threads are, while the program, `child`, still
 * lives. */
void tell_waits(const struct path_list *files, pid_t child, const struct format_options *format);

#endif
