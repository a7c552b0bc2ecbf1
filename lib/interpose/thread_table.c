#include "interpose/thread_table.h"

#include "engine/map.h"
#include "interpose/thread.h"
#include "platform/futex_lock.h"

static struct lgp_lock lock;
static struct lge_map table; /* by handle */

/* `serial` tells whether the block still is that thread: a detached child may
 * have ended, and its block begun another life, before its creator gets here. */
void lgi_table_put(pthread_t handle, struct lge_thread *thread, uint32_t serial) {
    lgp_lock(&lock);
    struct lge_thread *old = lge_map_get(&table, handle);
    if (old != thread && lge_thread_serial(thread) == serial) {
        if (old != NULL)
            lge_map_remove(&table, handle, old);
        lge_map_add(&table, handle, thread);
    }
    lgp_unlock(&lock);
}

struct lge_thread *lgi_table_get(pthread_t handle) {
    lgp_lock(&lock);
    struct lge_thread *thread = lge_map_get(&table, handle);
    lgp_unlock(&lock);
    return thread;
}

void lgi_table_remove(pthread_t handle, const struct lge_thread *thread) {
    lgp_lock(&lock);
    lge_map_remove(&table, handle, thread);
    lgp_unlock(&lock);
}

void lgi_table_forget(void) {
    table = (struct lge_map){0};
    atomic_store_explicit(&lock.state, 0, memory_order_relaxed);
}
