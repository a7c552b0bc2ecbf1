/* The header of an evidence file that is being written: a cheap look. */
#ifndef LOCKGRAPH_COMMAND_LIVE_HEADER_H
#define LOCKGRAPH_COMMAND_LIVE_HEADER_H

#include <stdbool.h>

#include "record/format.h"

/* False: there is none. */
bool live_header(const char *path, struct lgr_header *header);

#endif
