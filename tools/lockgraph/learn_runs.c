#include "learn_runs.h"

#include <stdlib.h>
#include <string.h>

enum { SHORTEST = 4, FARTHEST = 128 }; /* locks; bytes from one to the next */

static int compare(const void *a, const void *b) {
    const struct seen_class *one = *(const struct seen_class *const *)a;
    const struct seen_class *other = *(const struct seen_class *const *)b;
    int by_module = strcmp(one->module, other->module);
    if (by_module)
        return by_module;
    return one->offset < other->offset ? -1 : one->offset > other->offset;
}

/* By place; their number. */
static size_t nameless(struct pool *pool, const struct seen *seen, const struct seen_class ***sorted) {
    const struct seen_class **list = pool_array(pool, seen->class_count + 1, sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < seen->class_count; i++)
        if (seen->classes[i].offset && seen->classes[i].module)
            list[count++] = &seen->classes[i];
    if (count)
        qsort(list, count, sizeof *list, compare);
    *sorted = list;
    return count;
}

static uint64_t distance(const struct seen_class *const *list, size_t index) {
    return strcmp(list[index]->module, list[index + 1]->module) == 0
               ? list[index + 1]->offset - list[index]->offset
               : UINT64_MAX;
}

void learn_runs(struct pool *pool, const struct seen *seen, struct seen_splits *splits) {
    const struct seen_class **list;
    size_t count = nameless(pool, seen, &list);
    splits->runs = pool_array(pool, count + 1, sizeof *splits->runs);
    for (size_t from = 0, to; from + 1 < count; from = to) {
        uint64_t step = distance(list, from);
        for (to = from + 1; to + 1 < count && step <= FARTHEST && distance(list, to) == step; to++)
            continue;
        if (step <= FARTHEST && to - from + 1 >= SHORTEST)
            splits->runs[splits->run_count++] =
                (struct seen_run){list[from]->module, list[from]->offset, list[to]->offset};
    }
}
