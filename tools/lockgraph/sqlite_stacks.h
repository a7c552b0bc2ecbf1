/* Frames and call stacks of the database, each written once, and their numbers.  In bounded
 * memory: of more than a million and a half stacks one may be written again. */
#ifndef LOCKGRAPH_COMMAND_SQLITE_STACKS_H
#define LOCKGRAPH_COMMAND_SQLITE_STACKS_H

#include <stdint.h>

#include "model.h"
#include "sqlite_tables.h"

struct sqlite_stacks;

/* Model and tables must outlive it.  It takes the frames back that the model's symbols gave
 * (symbols_forget_code). */
struct sqlite_stacks *sqlite_stacks_open(struct model *model, struct sqlite_tables *tables);
void sqlite_stacks_close(struct sqlite_stacks *stacks);

/* The number of a stack in the tables, where it is from then on; 0: nothing is known of it. */
int64_t sqlite_stack(struct sqlite_stacks *stacks, const struct stack *stack);
/* The same as for model_stack(), which it need not make. */
int64_t sqlite_stack_of_context(struct sqlite_stacks *stacks, const struct model_process *process,
                                uint32_t context);

#endif
