#include "dry_pool.h"

#include "stacks.h"

enum { SHOWN = 6 }; /* holders told by name */

unsigned slots_of(const struct model_lock *lock) {
    if (!lock || !lock->info || lock->info->kind != LGR_LOCK_SEMAPHORE)
        return 0;
    return lock->info->attributes >> LGR_LOCK_SLOTS_SHIFT;
}

/* Several slots: who waits for one takes it as readers take a rwlock. */
static bool waits_for_slot(const struct model_edge *edge) {
    return edge->shared_to && slots_of(edge->to) > 1;
}

const struct model_edge *dry_pool_wait(const struct model_finding *finding) {
    if (finding->kind != LGR_KIND_DEADLOCK && finding->kind != LGR_KIND_SELF_DEADLOCK)
        return NULL;
    for (size_t i = 0; i < finding->edge_count; i++)
        if (waits_for_slot(&finding->edges[i]))
            return &finding->edges[i];
    return NULL;
}

static size_t held_by(const struct model_edge *edge, const struct model_lock *lock) {
    size_t count = 0;
    for (size_t i = 0; i < edge->held_count; i++)
        count += edge->held[i].lock == lock;
    return count;
}

/* "3 slots", "255 slots or more" */
static const char *slots_in_words(struct pool *pool, const struct model_lock *lock) {
    unsigned slots = slots_of(lock);
    return pool_printf(pool, slots == LGR_LOCK_SLOTS_MOST ? "%u slots or more" : "%u slots", slots);
}

static const char *holder(struct pool *pool, const struct model_edge *edge, size_t slots) {
    return slots == 1 ? edge->thread->label
                      : pool_printf(pool, "%s (%zu of them)", edge->thread->label, slots);
}

const char *dry_pool_holders(struct pool *pool, const struct model_finding *finding) {
    const struct model_edge *wait = dry_pool_wait(finding);
    const char *list = "";
    size_t told = 0, left = slots_of(wait->to);
    for (size_t i = 0; i < finding->edge_count && told < SHOWN; i++) {
        const struct model_edge *edge = &finding->edges[i];
        size_t slots = held_by(edge, wait->to);
        if (slots == 0)
            continue;
        list = pool_printf(pool, "%s%s%s", list, told++ ? ", " : "", holder(pool, edge, slots));
        left -= slots < left ? slots : left;
    }
    if (left)
        list = pool_printf(pool, "%s, and %zu by others", list, left);
    return pool_printf(pool, "%s has %s, and all are held by threads that wait themselves: %s",
                       wait->to_label, slots_in_words(pool, wait->to), list);
}

/* The fitting part of it stands first: what it holds of the pool itself, or
 * another lock that the holders of the slots want. */
const char *dry_pool_advice(struct pool *pool, const struct model_finding *finding) {
    const struct model_edge *wait = dry_pool_wait(finding);
    const char *place = frame_place(pool, stack_site(&wait->requested_at));
    if (held_by(wait, wait->to) != 0)
        return pool_printf(pool,
                           "give the slot of %s back before asking for another one at %s, ask for all that "
                           "are needed at one place, one thread at a time, or give %s as many slots as its "
                           "threads can need at once (it has %s)",
                           wait->to_label, place, wait->to_label, slots_in_words(pool, wait->to));
    return pool_printf(pool,
                       "release %s before waiting for a slot of %s at %s, or give %s more slots than there "
                       "are threads that can hold one (it has %s)",
                       wait->from ? wait->from_label : "what is held", wait->to_label, place, wait->to_label,
                       slots_in_words(pool, wait->to));
}
