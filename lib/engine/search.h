/* Looks for the worst cycle through an edge: the one with the highest verdict,
 * the shortest among those.
 *
 * Iterative deepening over path length with the true distance to the goal as
 * bound (IDA*, Korf 1985), inside one component.  One dependency per edge is
 * chosen along the way, and every constraint of the wanted verdict prunes at
 * once: distinct threads, no gate, not ordered, blocking modes.  No recursion:
 * this runs on the program's stacks. */
#ifndef LOCKGRAPH_ENGINE_SEARCH_H
#define LOCKGRAPH_ENGINE_SEARCH_H

#include "engine/graph.h"

struct lge_step {
    struct lge_edge *edge;
    struct lge_dependency *dependency;
};
struct lge_cycle {
    enum lgr_verdict verdict; /* LGR_VERDICT_NONE: no cycle blocks */
    size_t length;
    const struct lge_step *steps; /* valid until the next search */
    enum lgr_reason reason_kind;  /* what keeps it below feasible */
    uint64_t reason_id;
    bool exhausted; /* the work budget ran out: there may be a worse one */
};

void lge_search_start(uint64_t budget);
/* The worst cycle through `edge` in which it carries `fixed`, graded above
 * `above` and at most `at_most`.  Under the graph lock. */
struct lge_cycle lge_search(struct lge_edge *edge, struct lge_dependency *fixed, enum lgr_verdict above,
                            enum lgr_verdict at_most, uint64_t budget_factor);
/* The worst choice of dependencies for just this cycle, edges[0] carrying
 * `fixed`, graded above `above`. */
struct lge_cycle lge_search_along(struct lge_edge *const *edges, size_t length, struct lge_dependency *fixed,
                                  enum lgr_verdict above, uint64_t budget_factor);
void lge_search_figures(uint64_t *searches, uint64_t *steps);
void lge_search_reset(void);

#endif
