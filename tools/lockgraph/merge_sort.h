/* Sorts and unites records of merged files in bounded memory: what does not fit is
 * written to unnamed files, as sorted runs, and merged at the end. */
#ifndef LOCKGRAPH_COMMAND_MERGE_SORT_H
#define LOCKGRAPH_COMMAND_MERGE_SORT_H

#include <stdio.h>

#include "record/merged.h"

struct merge_sort;

/* At most about `memory` bytes are kept.  Never NULL. */
struct merge_sort *merge_sort_begin(size_t memory);
/* Adds a copy of a sound record.  False with errno set when a run cannot be written. */
bool merge_sort_add(struct merge_sort *sort, const struct lgm_record *record);
/* The same for one whose id is known and that has no figures: cheaper for what was added
 * lately, as most of what processes of one program have in common. */
bool merge_sort_add_once(struct merge_sort *sort, const struct lgm_record *record, const struct lgm_id *id);
/* Writes the header, all records once and the end to `stream`.  False with errno set. */
bool merge_sort_write(struct merge_sort *sort, FILE *stream);
void merge_sort_free(struct merge_sort *sort);

#endif
