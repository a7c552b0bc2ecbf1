/* Words and places for order files and what is said about them. */
#ifndef LOCKGRAPH_COMMAND_ORDER_WORDS_H
#define LOCKGRAPH_COMMAND_ORDER_WORDS_H

#include "model.h"

/* As an order file has it: in quotation marks where it must be. */
const char *order_quoted(struct pool *pool, const char *text);
/* "held since put() queue.c:12, requested at get() queue.c:30" */
const char *order_sites(struct pool *pool, const struct stack *held_at, const struct stack *requested_at);
/* "1 class", "2 classes", "3 pairs" */
const char *order_count(struct pool *pool, size_t count, const char *one, const char *many);

#endif
