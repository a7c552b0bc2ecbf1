/* What two states of a program are compared by: its findings, the order in which its
 * locks are taken, and the levels of their classes, all known by ids that are the same in
 * every run.  Made from evidence or from a JSON report. */
#ifndef LOCKGRAPH_COMMAND_SNAPSHOT_H
#define LOCKGRAPH_COMMAND_SNAPSHOT_H

#include "model.h"

struct snapshot_finding {
    const char *id, *kind, *title;
    const char *verdict; /* NULL: not about order */
    unsigned severity;
    bool suppressed;
    const struct model_finding *finding; /* NULL: from a JSON report */
};
struct snapshot_class {
    const char *id, *name;
    int level; /* NO_LEVEL: none */
};
struct snapshot_edge {
    const char *from, *to; /* ids of classes */
};

/* Each array by id, without doubles. */
struct snapshot {
    size_t finding_count, class_count, edge_count;
    struct snapshot_finding *findings;
    struct snapshot_class *classes;
    struct snapshot_edge *edges;
};

/* Lives as long as the model. */
struct snapshot snapshot_of_model(struct model *model);

/* From a report of `report --format json`, into `pool`.  False after complaining: it
 * cannot be read, or is no such report. */
bool snapshot_of_json(struct pool *pool, const char *path, struct snapshot *snapshot);
/* Whether a file looks like JSON, rather than like evidence. */
bool snapshot_is_json(const char *path);

/* NULL: not in it. */
const struct snapshot_finding *snapshot_find_finding(const struct snapshot *snapshot, const char *id);
const struct snapshot_class *snapshot_find_class(const struct snapshot *snapshot, const char *id);
const struct snapshot_edge *snapshot_find_edge(const struct snapshot *snapshot,
                                               const struct snapshot_edge *edge);

/* For the makers of snapshots: puts the arrays in order and drops doubles. */
void snapshot_settle(struct snapshot *snapshot);

#endif
