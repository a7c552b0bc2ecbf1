/* Pieces of the JSON report.  Objects are new references; strings are valid
 * UTF-8 because the model's are. */
#ifndef LOCKGRAPH_COMMAND_JSON_PARTS_H
#define LOCKGRAPH_COMMAND_JSON_PARTS_H

#include <jansson.h>

#include "model.h"
#include "text.h"

/* Adds the whole, which it takes; ends the command where there is no memory for it (NULL
 * also stands for that). */
void json_write(struct text *out, json_t *root);
/* The same in a form of its own, without the end of the line. */
void json_write_as(struct text *out, json_t *root, size_t flags);
/* As json_pack; ends the command with EXIT_INTERNAL where that cannot be made: nothing is left
 * out of a report unsaid. */
json_t *json_packed(const char *format, ...);
json_t *json_text(const char *text);                /* null for NULL; cleaned where it is no UTF-8 */
json_t *json_time(uint64_t realtime_ns);            /* RFC 3339 in UTC; null for 0 */
json_t *json_frame(const struct code_frame *frame); /* null for NULL */
json_t *json_stack(const struct stack *stack);
json_t *json_finding(const struct model_finding *finding);
/* Every suppression and what it matched; `model->suppressions` is set. */
json_t *json_suppressions(const struct model *model);
json_t *json_process(struct model *model, const struct model_process *process);

#endif
