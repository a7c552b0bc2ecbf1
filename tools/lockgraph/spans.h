/* Ranges of addresses, as a growing list. */
#ifndef LOCKGRAPH_COMMAND_SPANS_H
#define LOCKGRAPH_COMMAND_SPANS_H

#include <stddef.h>
#include <stdint.h>

struct span {
    uint64_t start, end;
};
struct spans {
    size_t count, room;
    struct span *list;
};

/* Continues the last one where it can; an empty one is not added. */
void spans_add(struct spans *spans, uint64_t start, uint64_t end);
/* What is in both. */
struct spans spans_common(const struct spans *one, const struct spans *other);
void spans_free(struct spans *spans);

#endif
