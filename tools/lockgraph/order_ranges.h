/* Which addresses of one module are the locks of a declared order's classes. */
#ifndef LOCKGRAPH_COMMAND_ORDER_RANGES_H
#define LOCKGRAPH_COMMAND_ORDER_RANGES_H

#include "order_file.h"
#include "symbols.h"

struct order_ranges {
    size_t count, room;
    struct lgr_order_range *list; /* the caller frees it */
};

/* The first range that fits counts: the narrowest, of equal ones that of the first rule.  `uses` (may be
 * NULL) is counted up for each rule that found something. */
void order_ranges_of(const struct order *order, struct pool *pool, struct symbols *symbols,
                     struct module_symbols *module, struct order_ranges *ranges, size_t *uses);

#endif
