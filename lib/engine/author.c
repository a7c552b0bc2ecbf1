#include "engine/author.h"

#include "engine/map.h"

static struct {
    struct lgp_lock lock;  /* after the thread list's, before the memory's */
    struct lge_map counts; /* by serial; the count stands in the pointer */
} authors;

static uintptr_t count_of(uint32_t serial) { return (uintptr_t)lge_map_get(&authors.counts, serial); }

static void change(uint32_t serial, uintptr_t by) {
    lgp_lock(&authors.lock);
    uintptr_t old = count_of(serial);
    if (old != 0)
        lge_map_remove(&authors.counts, serial, (void *)old);
    if (old + by != 0)
        lge_map_add(&authors.counts, serial, (void *)(old + by));
    lgp_unlock(&authors.lock);
}

void lge_author_add(uint32_t serial) { change(serial, 1); }
void lge_author_drop(uint32_t serial) { change(serial, (uintptr_t)-1); }

bool lge_author_kept(uint32_t serial) {
    lgp_lock(&authors.lock);
    bool kept = count_of(serial) != 0;
    lgp_unlock(&authors.lock);
    return kept;
}

void lge_authors_reset(void) { lge_map_clear(&authors.counts); }
struct lgp_part lge_authors_part(void) {
    return (struct lgp_part){&authors.lock, &authors, sizeof authors};
}
