/* An input of `lockgraph merge`: evidence of one process, or a merged file. */
#ifndef LOCKGRAPH_COMMAND_MERGE_FILE_H
#define LOCKGRAPH_COMMAND_MERGE_FILE_H

#include "merge_sort.h"

/* Adds what the file holds; a merged one is never in memory as a whole.  False with one
 * sentence in `error` (of `size` bytes) that names the file. */
bool merge_file_add(const char *path, struct merge_sort *sort, char *error, size_t size);

#endif
