#include "interpose/once_order.h"

#include "engine/map.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"
#include "platform/modules.h"

/* Controls that are no variables come and go with the objects they are in (each
 * std::promise has one); so many are remembered, then those are forgotten. */
enum { HEAP_MOST = 4096 };

_Atomic uint64_t lgi_once_runs;

/* Lock order: this one before any of the engine's. */
static struct lgp_lock lock;
static struct lge_map variables, objects; /* sync by address */

static struct lge_map *map_of(const void *control) {
    return lgp_module_contains((uintptr_t)control) ? &variables : &objects;
}

static void forget_objects(void) {
    for (size_t i = 0; i < objects.capacity; i++)
        if (objects.slots[i].value != NULL)
            lge_sync_free(objects.slots[i].value);
    lge_map_clear(&objects);
}

/* Of this run alone: what an earlier one in the same memory brought is gone. */
static struct lge_sync *renew(struct lge_map *map, const void *control) {
    struct lge_sync *old = lge_map_get(map, (uintptr_t)control), *fresh = lge_sync_new();
    if (old != NULL) {
        lge_map_remove(map, (uintptr_t)control, old);
        lge_sync_free(old);
    }
    if (map == &objects && objects.count == HEAP_MOST)
        forget_objects();
    if (fresh == NULL || lge_map_add(map, (uintptr_t)control, fresh))
        return fresh;
    lge_sync_free(fresh);
    return NULL;
}

void lgi_once_ran(struct lge_thread *thread, const void *control) {
    if (!lge_thread_has_past(thread))
        return;
    lgp_lock(&lock);
    struct lge_sync *sync = renew(map_of(control), control);
    if (sync != NULL)
        lge_sync_release(thread, sync);
    atomic_fetch_add_explicit(&lgi_once_runs, 1, memory_order_relaxed);
    lgp_unlock(&lock);
}

void lgi_once_returned(struct lge_thread *thread, const void *control) {
    lgp_lock(&lock);
    struct lge_sync *sync = lge_map_get(map_of(control), (uintptr_t)control);
    if (sync != NULL)
        lge_sync_acquire(thread, sync, LGR_REASON_ONCE);
    *lgi_once_settled_slot(thread, control) = lgi_once_key(control);
    lgp_unlock(&lock);
}

/* What other threads of the parent did is before all of the child. */
void lgi_once_forget(void) {
    variables = objects = (struct lge_map){0};
    atomic_store_explicit(&lock.state, 0, memory_order_relaxed);
}
