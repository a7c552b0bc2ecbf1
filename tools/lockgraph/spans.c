#include "spans.h"

#include <stdlib.h>

#include "pool.h"

void spans_add(struct spans *spans, uint64_t start, uint64_t end) {
    struct span *last = spans->count ? &spans->list[spans->count - 1] : NULL;
    if (start >= end)
        return;
    if (last && last->end == start) {
        last->end = end;
        return;
    }
    if (spans->count == spans->room) {
        spans->room = spans->room ? 2 * spans->room : 16;
        spans->list = checked_resize(spans->list, spans->room, sizeof *spans->list);
    }
    spans->list[spans->count++] = (struct span){start, end};
}

struct spans spans_common(const struct spans *one, const struct spans *other) {
    struct spans common = {0};
    for (size_t i = 0; i < one->count; i++)
        for (size_t k = 0; k < other->count; k++) {
            const struct span *a = &one->list[i], *b = &other->list[k];
            spans_add(&common, a->start > b->start ? a->start : b->start, a->end < b->end ? a->end : b->end);
        }
    return common;
}

void spans_free(struct spans *spans) { free(spans->list); }
