/* Whether new evidence closes a cycle worth telling, and how much looking a
 * program is made to pay for.
 *
 * What is known of a whole component is used before anything is searched: a gate
 * that every dependency in it holds, or one thread that made them all, bounds
 * the verdict.  Searches may take half a second, and from then on a twentieth of
 * the time that passes; what does not fit is postponed to the end of the
 * process, where a second is spent on it, and said to be missing if that was not
 * enough.  Under the graph lock. */
#ifndef LOCKGRAPH_ENGINE_CYCLE_H
#define LOCKGRAPH_ENGINE_CYCLE_H

#include "engine/graph.h"

void lge_cycle_start(void);
/* `edge` lies within a component and got this dependency. */
void lge_cycle_look(struct lge_edge *edge, struct lge_dependency *dependency);
/* What was postponed; takes the graph lock itself. */
void lge_cycle_finish(void);
void lge_cycle_reset(void);

#endif
