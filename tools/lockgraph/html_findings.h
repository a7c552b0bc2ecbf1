/* The findings of an HTML report, in words, with numbers of stacks and of drawn edges. */
#ifndef LOCKGRAPH_COMMAND_HTML_FINDINGS_H
#define LOCKGRAPH_COMMAND_HTML_FINDINGS_H

#include "html_graph.h"

/* An array in the order of the model, suppressed ones marked; a new reference. */
json_t *html_findings(struct html_tables *tables, const struct html_graph *graph);

#endif
