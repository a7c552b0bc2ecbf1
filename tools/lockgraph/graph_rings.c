#include "graph_rings.h"

#include <search.h>
#include <string.h>

#define WORK 50000000u /* pairs looked at, over all rings */

/* A class reached, with its lock wanted exclusively (0) or shared (1). */
#define STATE(class, shared) (2 * (class) + (shared))

struct step {
    size_t pair, before; /* before: the state it came from */
    unsigned modes;
    uint32_t round; /* in which it was reached: pair number + 1 */
};

struct walk {
    const struct pair_graph *graph;
    unsigned char *modes; /* of each pair: one bit for each ring_modes */
    uint32_t *component;  /* of each class: strongly connected; 0: not yet */
    struct step *steps;   /* by state */
    size_t *queue;
    size_t work;
    struct ring ring;
    void *found; /* tsearch tree of rings */
};

static void gather_modes(struct walk *walk) {
    for (size_t i = 0; i < walk->graph->pair_count; i++) {
        const struct graph_pair *pair = &walk->graph->pairs[i];
        for (size_t k = pair->first; k < pair->first + pair->count; k++)
            walk->modes[i] |= (unsigned char)(1u << ring_modes(walk->graph->sightings[k].edge));
    }
}

/* ---- strongly connected components, by Tarjan's algorithm without recursion ---- */

struct visit {
    uint32_t index, low;
    size_t next; /* pair to follow */
    bool waiting;
};

static void close_component(struct walk *walk, struct visit *visits, size_t *stack, size_t *top, size_t root,
                            uint32_t name) {
    size_t class;
    do {
        class = stack[--*top];
        visits[class].waiting = false;
        walk->component[class] = name;
    } while (class != root);
}

static void visit_from(struct walk *walk, struct visit *visits, size_t *path, size_t *stack, size_t *top,
                       size_t root, uint32_t *counter) {
    const struct pair_graph *graph = walk->graph;
    size_t depth = 0;
    path[depth++] = root;
    while (depth) {
        size_t at = path[depth - 1];
        struct visit *visit = &visits[at];
        if (visit->index == 0) {
            *visit = (struct visit){++*counter, *counter, graph->out[at], true};
            stack[(*top)++] = at;
        }
        if (visit->next < graph->out[at + 1]) {
            size_t to = graph->pairs[visit->next++].to;
            if (visits[to].index == 0)
                path[depth++] = to;
            else if (visits[to].waiting && visits[to].index < visit->low)
                visit->low = visits[to].index;
            continue;
        }
        if (visit->low == visit->index)
            close_component(walk, visits, stack, top, at, visit->index);
        if (--depth && visit->low < visits[path[depth - 1]].low)
            visits[path[depth - 1]].low = visit->low;
    }
}

static void find_components(struct pool *pool, struct walk *walk) {
    size_t count = walk->graph->class_count + 1, top = 0;
    struct visit *visits = pool_array(pool, count, sizeof *visits);
    size_t *path = pool_array(pool, count, sizeof *path), *stack = pool_array(pool, count, sizeof *stack);
    uint32_t counter = 0;
    for (size_t i = 0; i < walk->graph->class_count; i++)
        if (visits[i].index == 0)
            visit_from(walk, visits, path, stack, &top, i, &counter);
}

/* ---- the shortest ring ---- */

/* Reaches what follows from `state`; its class's lock is wanted `shared`. */
static void expand(struct walk *walk, size_t state, uint32_t round, size_t *tail) {
    const struct pair_graph *graph = walk->graph;
    size_t class = state / 2, shared = state % 2;
    for (size_t i = graph->out[class]; i < graph->out[class + 1]; i++) {
        const struct graph_pair *pair = &graph->pairs[i];
        walk->work++;
        if (pair->from == pair->to || walk->component[pair->to] != walk->component[class])
            continue;
        for (unsigned modes = 0; modes < 4; modes++) {
            size_t next = STATE(pair->to, modes & 1);
            if (!(walk->modes[i] >> modes & 1) || (shared && modes >> 1) || walk->steps[next].round == round)
                continue;
            walk->steps[next] = (struct step){i, state, modes, round};
            walk->queue[(*tail)++] = next;
        }
    }
}

static void build_ring(struct walk *walk, size_t start, unsigned modes, size_t last, size_t first) {
    struct ring *ring = &walk->ring;
    size_t length = 1;
    for (size_t state = last; state != first; state = walk->steps[state].before)
        length++;
    ring->length = length;
    ring->pairs[0] = &walk->graph->pairs[start];
    ring->modes[0] = modes;
    for (size_t state = last; state != first; state = walk->steps[state].before) {
        ring->pairs[--length] = &walk->graph->pairs[walk->steps[state].pair];
        ring->modes[length] = walk->steps[state].modes;
    }
}

/* Breadth first from the end of the pair to its beginning. */
static bool close_ring(struct walk *walk, size_t start, unsigned modes, uint32_t round) {
    const struct graph_pair *pair = &walk->graph->pairs[start];
    size_t first = STATE(pair->to, modes & 1), head = 0, tail = 0;
    walk->steps[first] = (struct step){.round = round};
    walk->queue[tail++] = first;
    while (head < tail) {
        size_t state = walk->queue[head++];
        if (state / 2 == pair->from && !(state % 2 && modes >> 1)) {
            build_ring(walk, start, modes, state, first);
            return true;
        }
        if (state / 2 != pair->from)
            expand(walk, state, round, &tail);
    }
    return false;
}

/* ---- each of them once ---- */

static int compare_rings(const void *a, const void *b) {
    const struct ring *one = a, *other = b;
    if (one->length != other->length)
        return one->length < other->length ? -1 : 1;
    return memcmp(one->pairs, other->pairs, one->length * sizeof(struct graph_pair *));
}

/* From its first pair on; in the pool. */
static struct ring *from_first_pair(struct pool *pool, const struct ring *ring) {
    struct ring *result = pool_alloc(pool, sizeof *result);
    size_t first = 0;
    *result = (struct ring){.length = ring->length};
    result->pairs = pool_array(pool, ring->length, sizeof(struct graph_pair *));
    result->modes = pool_array(pool, ring->length, sizeof *result->modes);
    for (size_t i = 1; i < ring->length; i++)
        if (ring->pairs[i] < ring->pairs[first])
            first = i;
    for (size_t i = 0; i < ring->length; i++) {
        result->pairs[i] = ring->pairs[(first + i) % ring->length];
        result->modes[i] = ring->modes[(first + i) % ring->length];
    }
    return result;
}

/* NULL: it was found from another of its pairs. */
static const struct ring *new_ring(struct pool *pool, struct walk *walk) {
    struct ring *ring = from_first_pair(pool, &walk->ring);
    struct ring **known = tsearch(ring, &walk->found, compare_rings);
    return known && *known == ring ? ring : NULL;
}

static void keep(void *node) { (void)node; }

void graph_rings(struct pool *pool, const struct pair_graph *graph,
                 void (*tell)(const struct ring *ring, void *context), void *context) {
    struct walk walk = {.graph = graph};
    uint32_t round = 0;
    walk.modes = pool_array(pool, graph->pair_count + 1, 1);
    walk.component = pool_array(pool, graph->class_count + 1, sizeof *walk.component);
    walk.steps = pool_array(pool, 2 * graph->class_count + 2, sizeof *walk.steps);
    walk.queue = pool_array(pool, 2 * graph->class_count + 2, sizeof *walk.queue);
    walk.ring.pairs = pool_array(pool, 2 * graph->class_count + 2, sizeof(void *));
    walk.ring.modes = pool_array(pool, 2 * graph->class_count + 2, sizeof *walk.ring.modes);
    gather_modes(&walk);
    find_components(pool, &walk);
    for (size_t i = 0; i < graph->pair_count && walk.work < WORK; i++) {
        const struct graph_pair *pair = &graph->pairs[i];
        if (pair->from == pair->to || walk.component[pair->from] != walk.component[pair->to])
            continue;
        for (unsigned modes = 0; modes < 4; modes++)
            if (walk.modes[i] >> modes & 1 && close_ring(&walk, i, modes, ++round)) {
                const struct ring *ring = new_ring(pool, &walk);
                if (ring)
                    tell(ring, context);
                break;
            }
    }
    tdestroy(walk.found, keep);
}
