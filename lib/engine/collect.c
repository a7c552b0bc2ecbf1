#include "engine/collect.h"

#include <stdatomic.h>

#include "engine/check.h"
#include "engine/graph.h"
#include "platform/memory.h"

/* Dead locks are looked for when the locks, or the memory, have doubled: few
 * locks can hold much, since each of their dependencies keeps a whole past. */
enum { FIRST_COLLECTION = 65536, FIRST_MEMORY = 32 << 20 };

static uint64_t max_memory;
static bool (*alive)(const void *address, uint64_t id, uint8_t kind, uint8_t attributes);
/* Relaxed: a late or doubled collection does no harm. */
static _Atomic size_t next_collection = FIRST_COLLECTION; /* number of locks */
static _Atomic uint64_t next_memory = FIRST_MEMORY;
static _Atomic uint64_t next_attempt; /* memory in use at which the budget is looked at again */

static _Atomic uint32_t refused; /* requests since the start that found no room */

/* Ids of locks to forget. */
struct victims {
    uint64_t *ids;
    size_t count, room;
    uint64_t sum; /* of the numbers of leaves, for their average */
    size_t leaves;
};

void lge_collect_start(const struct lge_config *config) {
    max_memory = config->max_memory;
    alive = config->lock_alive;
}

static bool add(struct victims *victims, uint64_t id) {
    if (victims->count == victims->room) {
        size_t room = victims->room ? victims->room * 2 : 1024;
        uint64_t *ids = lgp_resize(victims->ids, victims->room * sizeof *ids, room * sizeof *ids);
        if (ids == NULL)
            return false;
        victims->ids = ids;
        victims->room = room;
    }
    victims->ids[victims->count++] = id;
    return true;
}

static void add_if_dead(struct lge_lock *lock, void *user) {
    if (!alive(lock->address, lock->id, lock->kind, lock->attributes))
        add(user, lock->id);
}

static uint64_t number_of(const struct lge_lock *lock) { return lock->id & (((uint64_t)1 << 40) - 1); }

static void measure_leaf(struct lge_lock *lock, void *user) {
    struct victims *victims = user;
    if (lock->node.placed)
        return;
    victims->sum += number_of(lock);
    victims->leaves++;
}

/* The older half, by number: a leaf's loss costs a note of who was inside whom. */
static void add_if_old_leaf(struct lge_lock *lock, void *user) {
    struct victims *victims = user;
    if (!lock->node.placed && number_of(lock) <= victims->sum / victims->leaves)
        add(victims, lock->id);
}

static void forget(struct victims *victims) {
    for (size_t i = 0; i < victims->count; i++)
        lge_lock_destroyed(victims->ids[i]);
    lgp_free(victims->ids, victims->room * sizeof *victims->ids);
    *victims = (struct victims){0};
}

static void each(void (*visit)(struct lge_lock *lock, void *user), struct victims *victims) {
    lge_table_lock();
    lge_locks_each(visit, victims);
    lge_table_unlock();
}

/* A sandbox may forbid reading: then every lock would look dead. */
static bool can_read(void) {
    uint32_t known = 1, copy;
    return lgp_read_safely(&copy, &known, sizeof copy);
}

static void collect_dead(void) {
    struct victims dead = {0};
    if (alive == NULL || !can_read())
        return;
    each(add_if_dead, &dead);
    forget(&dead);
}

/* These are alive: nobody may be about to add an edge to one. */
static void collect_old_leaves(void) {
    struct victims old = {0};
    each(measure_leaf, &old);
    if (old.leaves != 0)
        each(add_if_old_leaf, &old);
    lge_graph_lock();
    lge_table_lock();
    for (size_t i = 0; i < old.count; i++)
        lge_leaf_forget(old.ids[i]);
    lge_table_unlock();
    lge_graph_unlock();
    lgp_free(old.ids, old.room * sizeof *old.ids);
}

static bool over_budget(void) { return max_memory != 0 && lgp_memory_used() > max_memory; }

bool lge_collect_spare(size_t size) { return max_memory == 0 || lgp_memory_used() + size <= max_memory / 2; }

/* Growth by a sixteenth of the budget, or so many refused requests (locks may
 * have gone meanwhile), before another try. */
static bool worth_a_try(void) {
    enum { REFUSED_MOST = 16384 };
    return lgp_memory_used() >= atomic_load_explicit(&next_attempt, memory_order_relaxed) ||
           atomic_fetch_add_explicit(&refused, 1, memory_order_relaxed) % REFUSED_MOST == REFUSED_MOST - 1;
}

static bool make_room(void) {
    if (!worth_a_try())
        return false;
    lge_degrade(LGR_DEGRADED_MEMORY);
    collect_dead();
    if (over_budget())
        collect_old_leaves();
    atomic_store_explicit(&next_attempt, lgp_memory_used() + max_memory / 16, memory_order_relaxed);
    return !over_budget();
}

static bool due(void) {
    return lge_locks_count() >= atomic_load_explicit(&next_collection, memory_order_relaxed) ||
           lgp_memory_used() >= atomic_load_explicit(&next_memory, memory_order_relaxed);
}

static void set_next(size_t locks, uint64_t memory) {
    atomic_store_explicit(&next_collection, locks > FIRST_COLLECTION ? locks : FIRST_COLLECTION,
                          memory_order_relaxed);
    atomic_store_explicit(&next_memory, memory > FIRST_MEMORY ? memory : FIRST_MEMORY, memory_order_relaxed);
}

bool lge_collect_room(void) {
    if (over_budget())
        return make_room();
    if (!due())
        return true;
    set_next(SIZE_MAX, UINT64_MAX); /* one thread at a time */
    collect_dead();
    set_next(lge_locks_count() * 2, lgp_memory_used() * 2);
    return true;
}

void lge_collect_reset(void) {
    set_next(0, 0);
    atomic_store_explicit(&next_attempt, 0, memory_order_relaxed);
}
