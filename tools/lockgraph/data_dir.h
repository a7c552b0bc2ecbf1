/* The data directory: where evidence files lie. */
#ifndef LOCKGRAPH_COMMAND_DATA_DIR_H
#define LOCKGRAPH_COMMAND_DATA_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "pool.h"

#define DEFAULT_DATA_DIR "lockgraph.data"
#define EVIDENCE_SUFFIX  ".lgd"

struct path_list {
    size_t count;
    const char **paths;
};

/* Makes `directory` ready for a new run: what is there moves to DIRECTORY.old
 * unless `append`; an older DIRECTORY.old goes, if it holds evidence files and
 * nothing else.  Nothing that is not evidence is ever moved or removed.
 * Returns the absolute path, NULL with one sentence in `error`. */
const char *data_dir_prepare(struct pool *pool, const char *directory, bool append, const char **error);

/* The evidence files in `directory`, sorted; false when it cannot be read. */
bool data_dir_list(struct pool *pool, const char *directory, struct path_list *list);

bool path_list_has(const struct path_list *list, const char *path);

bool is_evidence_name(const char *name);

#endif
