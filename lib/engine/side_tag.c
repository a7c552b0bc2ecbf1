#include "engine/side_tag.h"

#include "engine/collect.h"
#include "platform/memory.h"

enum { FIRST = 256, WAYS = LGE_SIDE_WAYS, FIRST_SHIFT = 64 - 7, SPARSE = 4 };
_Static_assert((FIRST / WAYS) == 1 << (64 - FIRST_SHIFT), "the shift of the first array");

static struct lge_side_tags first = {.shift = FIRST_SHIFT, .tags = {[FIRST - 1] = {0}}};
_Atomic(struct lge_side_tags *) lge_side_tags = &first;

static struct lge_side_tags *current(void) {
    return atomic_load_explicit(&lge_side_tags, memory_order_relaxed);
}
static size_t tags_of(const struct lge_side_tags *side) { return (size_t)WAYS << (64 - side->shift); }
static size_t size_of(size_t tags) { return sizeof(struct lge_side_tags) + tags * sizeof(struct lge_tag); }

static bool is_for(const struct lge_tag *tag, const void *address) { return lge_tag_id(tag, address) != 0; }

static bool is_free(const struct lge_tag *tag) {
    return atomic_load_explicit(&tag->id, memory_order_relaxed) == 0;
}

static void clear(struct lge_tag *tag) { atomic_store_explicit(&tag->id, 0, memory_order_relaxed); }

/* At most one tag of a set is for one address. */
static struct lge_tag *place_for(struct lge_tag *set, const void *address, uint64_t id) {
    for (int i = 0; i < WAYS; i++)
        if (is_for(&set[i], address))
            return &set[i];
    for (int i = 0; i < WAYS; i++)
        if (is_free(&set[i]))
            return &set[i];
    return &set[id % WAYS];
}

/* What there was comes back with its next use: a tag alone does not tell for
 * which address it is. */
static void grow(void) {
    struct lge_side_tags *side = current();
    size_t more = tags_of(side) * 2;
    struct lge_side_tags *larger = lge_collect_spare(size_of(more)) ? lgp_alloc(size_of(more)) : NULL;
    if (larger == NULL)
        return;
    larger->shift = side->shift - 1;
    larger->smaller = side;
    /* Release: pairs with the acquire load of a look-up. */
    atomic_store_explicit(&lge_side_tags, larger, memory_order_release);
}

void lge_side_put(const void *address, uint64_t id, size_t known) {
    if (known * SPARSE > tags_of(current()))
        grow();
    lge_tag_write(place_for(lge_side_set(current(), address), address, id), address, id);
}

void lge_side_forget(const void *address) {
    struct lge_tag *set = lge_side_set(current(), address);
    for (int i = 0; i < WAYS; i++)
        if (is_for(&set[i], address))
            clear(&set[i]);
}

void lge_side_start(void) {
    atomic_store_explicit(&lge_side_tags, &first, memory_order_release);
    for (size_t i = 0; i < FIRST; i++)
        clear(&first.tags[i]);
}

void lge_side_reset(void) {
    struct lge_side_tags *side = current();
    lge_side_start();
    while (side != &first) {
        struct lge_side_tags *smaller = side->smaller;
        lgp_free(side, size_of(tags_of(side)));
        side = smaller;
    }
}
