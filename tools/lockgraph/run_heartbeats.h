/* Looks for missing heartbeats in an evidence file while its process runs: what the
 * process does not notice itself, because all its threads stand still or do something
 * else. */
#ifndef LOCKGRAPH_COMMAND_RUN_HEARTBEATS_H
#define LOCKGRAPH_COMMAND_RUN_HEARTBEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/format.h"

/* Of one file; zero to begin with. */
struct heartbeats {
    uint64_t looked_to; /* records before that were looked at */
    uint64_t *offsets;  /* of the cells */
    size_t count;
};

/* True when one is missing that nobody told of: it is marked as seen, and the model has a
 * finding for it from then on. */
bool heartbeats_look(struct heartbeats *heartbeats, const char *path, const struct lgr_header *header);
void heartbeats_free(struct heartbeats *heartbeats);

#endif
