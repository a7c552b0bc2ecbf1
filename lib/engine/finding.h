/* Findings: one per distinct problem, regraded upwards, counted when seen
 * again.  Under the graph lock. */
#ifndef LOCKGRAPH_ENGINE_FINDING_H
#define LOCKGRAPH_ENGINE_FINDING_H

#include "engine/search.h"

void lge_findings_start(const struct lge_config *config);
/* Reports a cycle of the lock graph, or of the class graph. */
void lge_report_cycle(const struct lge_cycle *cycle);
/* True when this cycle's problem is known with at least that verdict. */
void lge_report_deadlock(const struct lge_finding_edge *edges, size_t count, bool timed);
uint64_t lge_findings_count(void);
uint64_t lge_findings_errors(void);
/* After fork: the child's problems start anew in its own file. */
void lge_findings_reset(void);

#endif
