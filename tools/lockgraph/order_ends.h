/* Which lock was held and which was wanted on an edge of a finding: in a level violation,
 * which is one call, `from` is the lock that is wanted and `to` the one in the way. */
#ifndef LOCKGRAPH_COMMAND_ORDER_ENDS_H
#define LOCKGRAPH_COMMAND_ORDER_ENDS_H

#include "model.h"

struct order_ends {
    const struct model_lock *held, *wanted; /* NULL: not known, or no lock */
};

static inline struct order_ends order_ends_of(const struct model_finding *finding,
                                              const struct model_edge *edge) {
    if (finding->kind == LGR_KIND_LEVEL_VIOLATION)
        return (struct order_ends){edge->to, edge->from};
    return (struct order_ends){edge->from, edge->to};
}

#endif
