/* A growing hash map from 64-bit keys to pointers: open addressing with linear
 * probing and backward-shift deletion, so it never fills with tombstones.
 * Several entries may have one key (a key that is a hash): walk them with
 * lge_map_first and lge_map_next.  Not synchronised: the owner's lock. */
#ifndef LOCKGRAPH_ENGINE_MAP_H
#define LOCKGRAPH_ENGINE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lge_map_slot {
    uint64_t key;
    void *value; /* NULL: free slot */
};
struct lge_map {
    struct lge_map_slot *slots;
    size_t capacity; /* power of two, or 0 */
    size_t count;
};

/* False only when memory is out. */
bool lge_map_add(struct lge_map *map, uint64_t key, void *value);
void lge_map_remove(struct lge_map *map, uint64_t key, const void *value);
/* Position of the first / next entry with that key, or SIZE_MAX. */
size_t lge_map_first(const struct lge_map *map, uint64_t key);
size_t lge_map_next(const struct lge_map *map, size_t position);
static inline void *lge_map_at(const struct lge_map *map, size_t position) {
    return map->slots[position].value;
}
/* The first value with that key, or NULL: for keys that are unique. */
static inline void *lge_map_get(const struct lge_map *map, uint64_t key) {
    size_t position = lge_map_first(map, key);
    return position == SIZE_MAX ? NULL : map->slots[position].value;
}
void lge_map_clear(struct lge_map *map);

#endif
