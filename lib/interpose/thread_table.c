#include "interpose/thread_table.h"

#include "engine/map.h"
#include "interpose/thread.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

/* `serial` tells whether the block still is that thread: nobody takes a detached
 * thread's entry out, and its block begins other lives. */
struct entry {
    struct lge_thread *thread;
    uint32_t serial;
};

static struct lgp_lock lock;
static struct lge_map table; /* by handle: struct entry */

static bool is_current(const struct entry *entry) {
    return lge_thread_serial(entry->thread) == entry->serial;
}

static void add(pthread_t handle, struct lge_thread *thread, uint32_t serial) {
    struct entry *entry = lge_map_get(&table, handle);
    if (entry == NULL) {
        entry = lgp_alloc(sizeof *entry);
        if (entry == NULL || !lge_map_add(&table, handle, entry)) {
            lgp_free(entry, sizeof *entry);
            return;
        }
    }
    *entry = (struct entry){thread, serial};
}

void lgi_table_put(pthread_t handle, struct lge_thread *thread, uint32_t serial) {
    lgp_lock(&lock);
    if (lge_thread_serial(thread) == serial)
        add(handle, thread, serial);
    lgp_unlock(&lock);
}

void lgi_table_put_new(pthread_t handle, struct lge_thread *thread, uint32_t serial) {
    lgp_lock(&lock);
    if (!lge_thread_begun(thread, serial))
        add(handle, thread, serial);
    lgp_unlock(&lock);
}

struct lge_thread *lgi_table_get(pthread_t handle, uint32_t *serial) {
    lgp_lock(&lock);
    const struct entry *entry = lge_map_get(&table, handle);
    struct lge_thread *thread = entry == NULL || !is_current(entry) ? NULL : entry->thread;
    *serial = thread == NULL ? 0 : entry->serial;
    lgp_unlock(&lock);
    return thread;
}

void lgi_table_remove(pthread_t handle, const struct lge_thread *thread, uint32_t serial) {
    lgp_lock(&lock);
    struct entry *entry = lge_map_get(&table, handle);
    if (entry != NULL && entry->thread == thread && entry->serial == serial) {
        lge_map_remove(&table, handle, entry);
        lgp_free(entry, sizeof *entry);
    }
    lgp_unlock(&lock);
}

void lgi_table_forget(void) {
    table = (struct lge_map){0};
    atomic_store_explicit(&lock.state, 0, memory_order_relaxed);
}
