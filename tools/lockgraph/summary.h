/* What two states of a program are compared by: its findings, the order in which its
 * locks are taken, and the levels of their classes, all known by ids that are the same in
 * every run.  Made from evidence or from a JSON report. */
#ifndef LOCKGRAPH_COMMAND_SUMMARY_H
#define LOCKGRAPH_COMMAND_SUMMARY_H

#include "model.h"

struct summary_finding {
    const char *id, *kind, *title;
    const char *verdict; /* NULL: not about order */
    unsigned severity;
    bool suppressed;
    const struct model_finding *finding; /* NULL: from a JSON report */
};
struct summary_class {
    const char *id, *name;
    int level; /* NO_LEVEL: none */
};
struct summary_edge {
    const char *from, *to; /* ids of classes */
};

/* Each array by id, without doubles. */
struct summary {
    size_t finding_count, class_count, edge_count;
    struct summary_finding *findings;
    struct summary_class *classes;
    struct summary_edge *edges;
};

/* Lives as long as the model. */
struct summary summary_of_model(struct model *model);

/* From a report of `report --format json`, into `pool`.  False after complaining: it
 * cannot be read, or is no such report. */
bool summary_of_json(struct pool *pool, const char *path, struct summary *summary);
/* Whether a file looks like JSON, rather than like evidence. */
bool summary_is_json(const char *path);

/* NULL: not in it. */
const struct summary_finding *summary_find_finding(const struct summary *summary, const char *id);
const struct summary_class *summary_find_class(const struct summary *summary, const char *id);
const struct summary_edge *summary_find_edge(const struct summary *summary, const struct summary_edge *edge);

/* For the makers of summaries: puts the arrays in order and drops doubles. */
void summary_settle(struct summary *summary);

#endif
