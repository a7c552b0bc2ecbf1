#include "interpose/cond_order.h"

#include "engine/map.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

struct waited_on {
    struct lge_sync *sync;
    uint32_t waiters;
};

/* Lock order: this one before any of the engine's. */
static struct lgp_lock lock;
static struct lge_map conditions; /* by address */

static struct waited_on *add(uint64_t key) {
    struct waited_on *made = lgp_alloc(sizeof *made);
    if (made == NULL)
        return NULL;
    made->sync = lge_sync_new();
    if (made->sync != NULL && lge_map_add(&conditions, key, made))
        return made;
    if (made->sync != NULL)
        lge_sync_free(made->sync);
    lgp_free(made, sizeof *made);
    return NULL;
}

void lgi_order_wait_begin(const void *condition) {
    uint64_t key = (uintptr_t)condition;
    lgp_lock(&lock);
    struct waited_on *known = lge_map_get(&conditions, key);
    if (known == NULL)
        known = add(key);
    if (known != NULL)
        known->waiters++;
    lgp_unlock(&lock);
}

void lgi_order_wait_end(struct lge_thread *thread, const void *condition, bool woken) {
    uint64_t key = (uintptr_t)condition;
    lgp_lock(&lock);
    struct waited_on *known = lge_map_get(&conditions, key);
    if (known != NULL) {
        if (woken)
            lge_sync_acquire(thread, known->sync, LGR_REASON_CONDITION);
        if (--known->waiters == 0) {
            lge_map_remove(&conditions, key, known);
            lge_sync_free(known->sync);
            lgp_free(known, sizeof *known);
        }
    }
    lgp_unlock(&lock);
}

void lgi_order_signal(struct lge_thread *thread, const void *condition) {
    lgp_lock(&lock);
    struct waited_on *known = lge_map_get(&conditions, (uintptr_t)condition);
    if (known != NULL)
        lge_sync_release(thread, known->sync);
    lgp_unlock(&lock);
}

void lgi_order_forget(void) {
    conditions = (struct lge_map){0};
    atomic_store_explicit(&lock.state, 0, memory_order_relaxed);
}
