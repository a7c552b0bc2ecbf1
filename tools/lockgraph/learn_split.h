/* What was seen, with classes apart that only share the function that initialises them. */
#ifndef LOCKGRAPH_COMMAND_LEARN_SPLIT_H
#define LOCKGRAPH_COMMAND_LEARN_SPLIT_H

#include "seen.h"

/* A helper that initialises everybody's locks makes one class of many, which then seem to
 * nest within themselves or in both directions: such ones are told by their callers. */
struct seen learn_seen(struct model *model);

#endif
