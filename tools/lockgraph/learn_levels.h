/* Levels for what was seen: the longest way to each class from the outside. */
#ifndef LOCKGRAPH_COMMAND_LEARN_LEVELS_H
#define LOCKGRAPH_COMMAND_LEARN_LEVELS_H

#include "seen.h"

struct learned_level {
    size_t depth; /* from 1; equal for all of one ring */
    size_t ring;  /* number of the ring it is in, from 1; 0: none */
};

/* By class; pairs with a guessed class, or one that nothing declares, do not count.
 * *ring_count: rings there are. */
struct learned_level *learn_levels(struct pool *pool, const struct seen *seen, size_t *ring_count);
/* Whether it can be declared at all. */
bool can_be_declared(const struct seen_class *class);

#endif
