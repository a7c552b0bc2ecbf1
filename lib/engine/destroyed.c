#include "engine/destroyed.h"

#include "engine/engine.h"
#include "engine/lifecycle.h"
#include "engine/mix.h"
#include "engine/regions.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

enum { PLACES = 4096 };

static struct {
    struct lgp_lock lock;
    struct lge_destroyed *places; /* one for each hash of an address: the newest wins */
    struct lge_regions regions;   /* of these addresses */
} table;

static struct lge_destroyed *place_of(const void *address) {
    return &table.places[lge_mix((uintptr_t)address, 0) % PLACES];
}

void lge_destroyed_put(const struct lge_destroyed *destroyed) {
    lgp_lock(&table.lock);
    if (table.places == NULL)
        table.places = lgp_alloc(PLACES * sizeof *table.places);
    if (table.places != NULL) {
        *place_of(destroyed->address) = *destroyed;
        lge_regions_add(&table.regions, destroyed->address);
    }
    lgp_unlock(&table.lock);
}

bool lge_destroyed_get(const void *address, struct lge_destroyed *destroyed) {
    lgp_lock(&table.lock);
    bool known = table.places != NULL && place_of(address)->address == address;
    if (known)
        *destroyed = *place_of(address);
    lgp_unlock(&table.lock);
    if (known && destroyed->context == 0)
        destroyed->context = lge_context_intern(&destroyed->site, 1, true);
    return known;
}

static void forget_within(const void *start, size_t size) {
    table.regions = (struct lge_regions){0};
    for (struct lge_destroyed *place = table.places; place != table.places + PLACES; place++) {
        if ((uintptr_t)place->address - (uintptr_t)start < size)
            place->address = NULL;
        else if (place->address != NULL)
            lge_regions_add(&table.regions, place->address);
    }
}

void lge_destroyed_unmapped(const void *start, size_t size) {
    lgp_lock(&table.lock);
    if (table.places != NULL && lge_regions_may_have(&table.regions, start, size))
        forget_within(start, size);
    lgp_unlock(&table.lock);
}

void lge_destroyed_reset(void) {
    lgp_free(table.places, PLACES * sizeof *table.places);
    table.places = NULL;
}

struct lgp_part lge_destroyed_part(void) {
    return (struct lgp_part){&table.lock, (void *)&table, sizeof table};
}
