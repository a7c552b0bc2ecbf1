/* Which evidence files are those of one `lockgraph run`: others may write into the same
 * directory (--append), before it and beside it. */
#ifndef LOCKGRAPH_COMMAND_RUN_FILES_H
#define LOCKGRAPH_COMMAND_RUN_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "data_dir.h"
#include "record/format.h"

struct run_files {
    const char *directory;   /* absolute */
    struct path_list before; /* what was there when it began */
    uint64_t key;            /* of this run; 0: its files bear none */
};

/* False where another run has written it.  A program that was started without a launcher is
 * taken for one of ours: nothing says that it is not. */
bool run_files_bear(const struct run_files *files, const struct lgr_header *header);

/* Those there are now, sorted. */
struct path_list run_files_list(struct pool *pool, const struct run_files *files);

#endif
