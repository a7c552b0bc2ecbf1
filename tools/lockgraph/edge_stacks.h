/* The stacks that an edge of a finding has to show, and what each of them is. */
#ifndef LOCKGRAPH_COMMAND_EDGE_STACKS_H
#define LOCKGRAPH_COMMAND_EDGE_STACKS_H

#include "model.h"

struct labelled_stack {
    const char *label; /* "audit_lock was requested": " at" is to follow */
    const struct stack *stack;
};
struct labelled_stacks {
    size_t count;
    struct labelled_stack *list; /* lives as long as the pool */
};

struct labelled_stacks edge_stacks(struct pool *pool, const struct model_finding *finding,
                                   const struct model_edge *edge);

#endif
