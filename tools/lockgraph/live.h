/* The evidence of processes that run, looked at again and again. */
#ifndef LOCKGRAPH_COMMAND_LIVE_H
#define LOCKGRAPH_COMMAND_LIVE_H

#include <stdbool.h>
#include <sys/types.h>

#include "data_dir.h"
#include "model.h"

/* Begins with `operands` or `pid` set, the rest zero. */
struct live {
    pid_t pid; /* 0: what the operands stand for (inputs.h) */
    int count;
    char **operands;
    struct symbols *symbols; /* of all looks: nothing is looked up again */
    struct pool pool;
    const char *last; /* file of the process, once it was seen */
};

/* The evidence files that there are now; complains and returns false when there are none. */
bool live_files(struct pool *pool, struct live *live, struct path_list *files);

/* What is in the files of this moment.  Its `unreadable` ones may be just being made: who
 * looks for the last time tells of them, by live_complain.  NULL: as live_files.  Freed
 * before the next look. */
struct model *live_look(struct live *live, struct model_options options);
void live_complain(const struct model *model);

void live_end(struct live *live);

#endif
