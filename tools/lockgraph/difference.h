/* What of one summary is new against another, and what is gone. */
#ifndef LOCKGRAPH_COMMAND_DIFFERENCE_H
#define LOCKGRAPH_COMMAND_DIFFERENCE_H

#include "summary.h"
#include "text.h"

/* New edges, and new or changed levels, count as notes.  A finding that became graver is
 * new.  What is suppressed in `now` is neither told nor counted. */
struct difference {
    const struct summary *before, *now;
    const struct summary_finding **new_findings; /* the gravest first */
    size_t new_count, gone_count, same_count;
    size_t new_edges, gone_edges, same_edges;
    size_t new_levels, gone_levels, same_levels;
};

struct difference difference_of(struct pool *pool, const struct summary *before, const struct summary *now);
/* Whether something is new from this severity on. */
bool difference_fails(const struct difference *difference, unsigned fail_on);
/* One line of counts, then a line for each thing that is new or gone. */
void difference_text(struct text *out, const struct difference *difference, bool color);

#endif
