#include "why.h"

#include <string.h>

#define FAR  SIZE_MAX
#define WORK 2000000 /* steps of the search: paths can be more than anybody reads */

struct walk {
    struct model *model;
    const struct pair_graph *graph;
    const bool *to;
    size_t *distance; /* to the nearest goal, in pairs; FAR: none is reached */
    bool *visited;
    const struct graph_pair **stack;
    size_t depth, work;
    struct why_paths *paths;
};

/* Breadth first, against the pairs: rounds of relaxing end after the longest distance. */
static void measure(struct walk *walk) {
    const struct pair_graph *graph = walk->graph;
    bool changed = true;
    for (size_t i = 0; i < graph->class_count; i++)
        walk->distance[i] = walk->to[i] ? 0 : FAR;
    while (changed) {
        changed = false;
        for (size_t i = graph->pair_count; i-- > 0;) {
            const struct graph_pair *pair = &graph->pairs[i];
            size_t through = walk->distance[pair->to];
            if (through == FAR || through + 1 >= walk->distance[pair->from])
                continue;
            walk->distance[pair->from] = through + 1;
            changed = true;
        }
    }
}

static bool add_path(struct walk *walk) {
    struct why_paths *paths = walk->paths;
    if (paths->count == WHY_PATHS) {
        paths->more = true;
        return false;
    }
    struct why_path *path = &paths->list[paths->count++];
    path->length = walk->depth;
    path->pairs = pool_array(&walk->model->pool, walk->depth, sizeof(void *));
    memcpy(path->pairs, walk->stack, walk->depth * sizeof(void *));
    return true;
}

/* Paths of exactly `left` more pairs.  False: enough. */
static bool go_on(struct walk *walk, size_t at, size_t left) {
    const struct pair_graph *graph = walk->graph;
    bool enough = false;
    walk->visited[at] = true;
    for (size_t i = graph->out[at]; i < graph->out[at + 1] && !enough; i++) {
        const struct graph_pair *pair = &graph->pairs[i];
        size_t rest = walk->distance[pair->to];
        if (walk->work++ > WORK) {
            walk->paths->more = enough = true;
            break;
        }
        bool goal = walk->to[pair->to];
        if (rest == FAR || rest > left - 1 || goal != (left == 1) || (walk->visited[pair->to] && !goal))
            continue;
        walk->stack[walk->depth++] = pair;
        enough = left == 1 ? !add_path(walk) : !go_on(walk, pair->to, left - 1);
        walk->depth--;
    }
    walk->visited[at] = false;
    return !enough;
}

static bool all_of_length(struct walk *walk, const bool *from, size_t length) {
    for (size_t i = 0; i < walk->graph->class_count; i++)
        if (from[i] && !go_on(walk, i, length))
            return false;
    return true;
}

struct why_paths *why_find(struct model *model, const struct pair_graph *graph, const bool *from,
                           const bool *to) {
    struct walk walk = {.model = model, .graph = graph, .to = to};
    size_t room = graph->class_count + 1;
    walk.paths = pool_alloc(&model->pool, sizeof *walk.paths);
    walk.distance = pool_array(&model->pool, room, sizeof *walk.distance);
    walk.visited = pool_array(&model->pool, room, sizeof *walk.visited);
    walk.stack = pool_array(&model->pool, room, sizeof(void *));
    measure(&walk);
    for (size_t length = 1; length < room; length++)
        if (!all_of_length(&walk, from, length))
            break;
    return walk.paths;
}
