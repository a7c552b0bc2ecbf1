/* What the findings, the graph and the timeline of an HTML report point at by number:
 * every frame and every stack once, with the source lines of the frames that stacks are
 * named by. */
#ifndef LOCKGRAPH_COMMAND_HTML_TABLES_H
#define LOCKGRAPH_COMMAND_HTML_TABLES_H

#include <jansson.h>

#include "model.h"

struct html_tables {
    struct model *model;
    json_t *frames, *stacks; /* arrays */
    void *frames_seen, *stacks_seen;
    json_int_t **contexts; /* of each process: number of its stack + 1, by position of the context */
};

struct html_tables html_tables_begin(struct model *model);
/* Drops the trees; the arrays are the caller's. */
void html_tables_end(struct html_tables *tables);

/* Numbers in the table of stacks; -1: not known. */
json_int_t html_stack(struct html_tables *tables, const struct stack *stack);
json_int_t html_context(struct html_tables *tables, const struct model_process *process, uint32_t context);

#endif
