#include "edge_sites.h"

#include <stdlib.h>

#include "pool.h"

/* Where the innermost frame stands, as one number per place. */
static uint64_t place_of(const struct lgr_file *file, uint32_t context) {
    const struct lgr_context_info *info = lgr_context_by_id(file, context);
    if (!info || info->frame_count == 0)
        return 0;
    return ((uint64_t)info->frames[0].module << 48) ^ info->frames[0].offset;
}

static int compare_places(const void *a, const void *b) {
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

size_t edge_sites(const struct lgr_file *file, uint32_t from_class, uint32_t to_class) {
    uint64_t *places = NULL;
    size_t count = 0, distinct = 0, total = lgr_edge_count(file);
    for (size_t i = 0; i < total; i++) {
        const struct lgr_edge *edge = lgr_edge_at(file, i);
        if (edge->from_class != from_class || edge->to_class != to_class)
            continue;
        places = checked_resize(places, count + 1, sizeof *places);
        places[count++] = place_of(file, edge->request_context);
    }
    if (count)
        qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 0; i < count; i++)
        distinct += i == 0 || places[i] != places[i - 1];
    free(places);
    return distinct;
}
