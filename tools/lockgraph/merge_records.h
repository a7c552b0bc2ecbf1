/* One process's evidence as records of a merged file. */
#ifndef LOCKGRAPH_COMMAND_MERGE_RECORDS_H
#define LOCKGRAPH_COMMAND_MERGE_RECORDS_H

#include "merge_sort.h"
#include "record/reader.h"

/* Adds everything that is not of that process alone: not its waits, heartbeats and
 * figures of locks.  False with errno set, as merge_sort_add. */
bool merge_records_of(const struct lgr_file *file, struct merge_sort *sort);

#endif
