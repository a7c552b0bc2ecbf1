#include "engine/map.h"

#include "engine/mix.h"
#include "platform/memory.h"

static size_t home(const struct lge_map *map, uint64_t key) {
    return (size_t)lge_mix(key, 0) & (map->capacity - 1);
}

static void place(struct lge_map *map, uint64_t key, void *value) {
    size_t position = home(map, key);
    while (map->slots[position].value != NULL)
        position = (position + 1) & (map->capacity - 1);
    map->slots[position] = (struct lge_map_slot){key, value};
}

static bool grow(struct lge_map *map) {
    struct lge_map old = *map;
    size_t capacity = old.capacity ? old.capacity * 2 : 16;
    struct lge_map_slot *slots = lgp_alloc(capacity * sizeof *slots);
    if (slots == NULL)
        return false;
    map->slots = slots;
    map->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].value != NULL)
            place(map, old.slots[i].key, old.slots[i].value);
    lgp_free(old.slots, old.capacity * sizeof *slots);
    return true;
}

bool lge_map_add(struct lge_map *map, uint64_t key, void *value) {
    if ((map->count + 1) * 4 > map->capacity * 3 && !grow(map))
        return false;
    place(map, key, value);
    map->count++;
    return true;
}

size_t lge_map_first(const struct lge_map *map, uint64_t key) {
    if (map->capacity == 0)
        return SIZE_MAX;
    size_t position = home(map, key);
    while (map->slots[position].value != NULL) {
        if (map->slots[position].key == key)
            return position;
        position = (position + 1) & (map->capacity - 1);
    }
    return SIZE_MAX;
}

size_t lge_map_next(const struct lge_map *map, size_t position) {
    uint64_t key = map->slots[position].key;
    for (;;) {
        position = (position + 1) & (map->capacity - 1);
        if (map->slots[position].value == NULL)
            return SIZE_MAX;
        if (map->slots[position].key == key)
            return position;
    }
}

/* Closes the gap at `hole`: moves back every later entry of the run whose home
 * does not lie behind the hole. */
static void shift_back(struct lge_map *map, size_t hole) {
    size_t mask = map->capacity - 1;
    for (size_t next = (hole + 1) & mask; map->slots[next].value != NULL; next = (next + 1) & mask) {
        size_t distance_home = (next - home(map, map->slots[next].key)) & mask;
        size_t distance_hole = (next - hole) & mask;
        if (distance_home < distance_hole)
            continue;
        map->slots[hole] = map->slots[next];
        hole = next;
    }
    map->slots[hole].value = NULL;
}

void lge_map_remove(struct lge_map *map, uint64_t key, const void *value) {
    size_t position = lge_map_first(map, key);
    while (position != SIZE_MAX && map->slots[position].value != value)
        position = lge_map_next(map, position);
    if (position == SIZE_MAX)
        return;
    shift_back(map, position);
    map->count--;
}

void lge_map_clear(struct lge_map *map) {
    lgp_free(map->slots, map->capacity * sizeof *map->slots);
    *map = (struct lge_map){0};
}
