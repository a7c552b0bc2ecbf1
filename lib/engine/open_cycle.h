/* Open cycles: those that were reported below `feasible`, because of what was
 * known of them then.
 *
 * A search ends with the worst cycle through an edge.  Another one through it,
 * reported earlier, may have become worse too, and would keep a grade that is
 * no longer true; so each is graded by itself when one of its edges gets new
 * evidence.  Under the graph lock. */
#ifndef LOCKGRAPH_ENGINE_OPEN_CYCLE_H
#define LOCKGRAPH_ENGINE_OPEN_CYCLE_H

#include "engine/search.h"

/* `edge` got this dependency: reports the open cycles through it that are worse
 * by that.  False: the budget ran out. */
bool lge_open_cycles_look(struct lge_edge *edge, struct lge_dependency *dependency, uint64_t budget_factor);
/* Reports what a search found, graded by all evidence there is for it, not only
 * by what started the search.  False: the budget ran out. */
bool lge_open_cycle_report(const struct lge_cycle *cycle, uint64_t budget_factor);
void lge_open_cycles_reset(void);

#endif
