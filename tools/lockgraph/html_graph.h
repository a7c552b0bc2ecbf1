/* Which kinds of locks were taken under which, for the drawing of an HTML report: an
 * edge for each pair of classes, with a few of its places and the findings it is part of. */
#ifndef LOCKGRAPH_COMMAND_HTML_GRAPH_H
#define LOCKGRAPH_COMMAND_HTML_GRAPH_H

#include "html_tables.h"

struct html_edge {
    const struct model_class *from, *to;
    uint64_t sightings; /* places and threads; those past the first few are only counted */
    size_t number;
    json_t *sites, *findings;
};

struct html_graph {
    size_t edge_count, site_count;
    struct html_edge **edges;
    size_t slot_count;        /* a power of two; 0: no edge */
    struct html_edge **slots; /* by both ends; NULL: a free one */
};

/* Of findings first, so that their stacks are the first to be shown.  Released by
 * html_graph_end. */
struct html_graph html_graph_begin(struct html_tables *tables);
/* The edge that an edge of a finding is drawn as; NULL: none. */
const struct html_edge *html_graph_edge(const struct html_graph *graph, const struct model_finding *finding,
                                        const struct model_edge *edge);
json_t *html_graph_edges(const struct html_graph *graph);
void html_graph_end(struct html_graph *graph);

#endif
