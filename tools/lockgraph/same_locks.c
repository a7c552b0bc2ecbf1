#include "same_locks.h"

#include <stdlib.h>

#include "kin.h"

/* All 0: a file's, of which the class says all there is. */
struct lock_key {
    uint64_t family, id, address;
};

/* These single locks were nested there. */
struct link {
    struct lock_key from, to;
    const struct model_process *process;
};

/* Of one pair and modes. */
struct links {
    size_t count;
    struct link *links; /* by locks, then process */
};

struct same_locks {
    struct model *model;
    const struct pair_graph *graph;
    struct links **links; /* by pair and modes; NULL: not made yet */
};

/* ---- which locks were nested ---- */

static int compare_numbers(uint64_t one, uint64_t other) { return one < other ? -1 : one > other; }

static int compare_keys(const struct lock_key *one, const struct lock_key *other) {
    if (one->family != other->family)
        return compare_numbers(one->family, other->family);
    if (one->id != other->id)
        return compare_numbers(one->id, other->id);
    return compare_numbers(one->address, other->address);
}

static int compare_links(const void *a, const void *b) {
    const struct link *one = a, *other = b;
    int order = compare_keys(&one->from, &other->from);
    if (order == 0)
        order = compare_keys(&one->to, &other->to);
    return order ? order : compare_numbers(one->process->index, other->process->index);
}

/* False: a process's own, or nothing is known of it. */
static bool key_of(const struct model_process *process, uint64_t raw, struct lock_key *key) {
    const struct lgr_lock_info *lock = lgr_lock_by_id(process->file, raw);
    *key = (struct lock_key){0};
    if (lock && lock->kind == LGR_LOCK_FILE)
        return true;
    if (!lock || !(lock->attributes & LGR_LOCK_PSHARED) || !memory_family(process))
        return false;
    *key = (struct lock_key){memory_family(process), raw, lock->address};
    return true;
}

static void drop_repeated(struct links *links) {
    size_t kept = 0;
    for (size_t i = 0; i < links->count; i++)
        if (kept == 0 || compare_links(&links->links[kept - 1], &links->links[i]) != 0)
            links->links[kept++] = links->links[i];
    links->count = kept;
}

static struct links *gather_links(const struct same_locks *same, const struct graph_pair *pair,
                                  unsigned modes) {
    struct links *links = pool_alloc(&same->model->pool, sizeof *links);
    *links = (struct links){0, pool_array(&same->model->pool, pair->count, sizeof *links->links)};
    for (size_t i = pair->first; i < pair->first + pair->count; i++) {
        const struct sighting *sighting = &same->graph->sightings[i];
        struct link *link = &links->links[links->count];
        link->process = sighting->process;
        links->count += ring_modes(sighting->edge) == modes &&
                        key_of(sighting->process, sighting->edge->from_lock, &link->from) &&
                        key_of(sighting->process, sighting->edge->to_lock, &link->to);
    }
    if (links->count)
        qsort(links->links, links->count, sizeof *links->links, compare_links);
    drop_repeated(links);
    return links;
}

static const struct links *links_of(struct same_locks *same, const struct graph_pair *pair, unsigned modes) {
    struct links **known = &same->links[(size_t)(pair - same->graph->pairs) * RING_MODES + modes];
    if (!*known)
        *known = gather_links(same, pair, modes);
    return *known;
}

/* ---- rings of them ---- */

/* Thousands of processes that never ran at the same time are not worth more. */
enum { MOST_STEPS = 1 << 18 };

struct walk {
    struct same_locks *same;
    const struct ring *ring;
    const struct link **links; /* chosen so far */
    bool at_once;
    size_t steps;
};

static size_t first_from(const struct links *links, const struct lock_key *from) {
    size_t low = 0, high = links->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(&links->links[middle].from, from) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool suits(const struct walk *walk, size_t at, const struct link *link) {
    for (size_t i = 0; walk->at_once && i < at; i++)
        if (walk->links[i]->process != link->process && !are_kin(walk->links[i]->process, link->process))
            return false;
    return true;
}

static bool closes(const struct walk *walk) {
    size_t length = walk->ring->length;
    bool several = !walk->at_once;
    for (size_t i = 1; i < length; i++)
        several |= walk->links[i]->process != walk->links[0]->process;
    return several && compare_keys(&walk->links[length - 1]->to, &walk->links[0]->from) == 0;
}

static bool walk_on(struct walk *walk, size_t at) {
    if (at == walk->ring->length)
        return closes(walk);
    const struct links *links = links_of(walk->same, walk->ring->pairs[at], walk->ring->modes[at]);
    const struct lock_key *from = at ? &walk->links[at - 1]->to : NULL;
    for (size_t i = from ? first_from(links, from) : 0;
         i < links->count && (!from || compare_keys(&links->links[i].from, from) == 0); i++) {
        if (walk->steps++ >= MOST_STEPS)
            return false;
        walk->links[at] = &links->links[i];
        if (suits(walk, at, walk->links[at]) && walk_on(walk, at + 1))
            return true;
    }
    return false;
}

bool same_locks_meet(struct same_locks *same, const struct ring *ring, bool at_once) {
    struct walk walk = {.same = same, .ring = ring, .at_once = at_once};
    walk.links = pool_array(&same->model->pool, ring->length, sizeof *walk.links);
    return walk_on(&walk, 0);
}

bool of_one_memory(const struct same_locks *same, const struct ring *ring) {
    const struct sighting *sightings = same->graph->sightings;
    uint64_t family = memory_family(sightings[ring->pairs[0]->first].process);
    for (size_t i = 0; i < ring->length; i++)
        for (size_t k = ring->pairs[i]->first; k < ring->pairs[i]->first + ring->pairs[i]->count; k++)
            if (memory_family(sightings[k].process) != family)
                return false;
    return family != 0;
}

struct same_locks *same_locks_of(struct model *model, const struct pair_graph *graph) {
    struct same_locks *same = pool_alloc(&model->pool, sizeof *same);
    *same = (struct same_locks){model, graph, NULL};
    same->links = pool_array(&model->pool, graph->pair_count * RING_MODES + 1, sizeof(struct links *));
    return same;
}
