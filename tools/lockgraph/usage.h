/* How locks were used, summed over the processes of the model. */
#ifndef LOCKGRAPH_COMMAND_USAGE_H
#define LOCKGRAPH_COMMAND_USAGE_H

#include "model.h"

struct usage {
    const struct model_class *class;
    const struct code_frame *at; /* where it was waited for; NULL: the whole class */
    struct lgr_figures figures;
};
struct usages {
    size_t count; /* whole classes first, each followed by its places */
    struct usage *list;
    bool holds; /* were measured somewhere */
};

/* Lives as long as the model. */
struct usages usages_collect(struct model *model);

#endif
