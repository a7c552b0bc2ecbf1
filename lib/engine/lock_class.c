#include "engine/lock_class.h"
#include "engine/level.h"
#include "engine/lifecycle.h"

#include <string.h>

#include "engine/map.h"
#include "engine/mix.h"
#include "engine/recorded_modules.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"
#include "record/order_table.h"

/* The class number has 24 bits in a lock id. */
enum { CLASSES_PER_PAGE = 1024, CLASS_PAGES = (1 << 24) / CLASSES_PER_PAGE };

static struct {
    struct lgp_lock lock;
    struct lge_map by_key;
    _Atomic uint32_t count;
    /* Page and entry are stored before the id is handed out (release). */
    _Atomic(struct lge_class **) pages[CLASS_PAGES];
} classes;

struct lge_class *lge_class_get(uint32_t id) {
    atomic_thread_fence(memory_order_acquire); /* the id may be from a tag: identity.h */
    if (id == 0 || id > atomic_load_explicit(&classes.count, memory_order_acquire))
        return NULL;
    struct lge_class **page =
        atomic_load_explicit(&classes.pages[(id - 1) / CLASSES_PER_PAGE], memory_order_acquire);
    return page[(id - 1) % CLASSES_PER_PAGE];
}

static struct lge_class **page_of(uint32_t index) {
    _Atomic(struct lge_class **) *slot = &classes.pages[index / CLASSES_PER_PAGE];
    struct lge_class **page = atomic_load_explicit(slot, memory_order_relaxed);
    if (page == NULL) {
        page = lgp_alloc(CLASSES_PER_PAGE * sizeof(struct lge_class *));
        atomic_store_explicit(slot, page, memory_order_release);
    }
    return page;
}

static struct lge_class *add(uint64_t key) {
    uint32_t index = atomic_load_explicit(&classes.count, memory_order_relaxed);
    if (index / CLASSES_PER_PAGE >= CLASS_PAGES - 1)
        return NULL;
    struct lge_class **page = page_of(index);
    struct lge_class *class = lgp_alloc(sizeof *class);
    if (page == NULL || class == NULL || !lge_map_add(&classes.by_key, key, class))
        return NULL;
    class->id = index + 1;
    class->node.is_class = true;
    class->level = LGE_NO_LEVEL;
    page[index % CLASSES_PER_PAGE] = class;
    return class;
}

/* What a class is told by. */
struct description {
    uint16_t kind;
    int16_t level;
    bool keyed, by_address, by_front_end, anyhow;
    uint32_t order;
    uint64_t what;    /* context id, address, or the length of `name` */
    const char *name; /* NAMED */
    uint32_t context; /* NAMED, where that is not all that tells it; else 0 */
};

static bool equal(const struct lge_class *class, const struct description *wanted) {
    if (class->kind != wanted->kind || class->level != wanted->level || class->keyed != wanted->keyed ||
        class->order != wanted->order)
        return false;
    if (wanted->name != NULL)
        return class->context == wanted->context && class->name_length == wanted->what &&
               memcmp(class->name, wanted->name, wanted->what) == 0;
    return class->kind == LGR_CLASS_STATIC ? class->variable == wanted->what : class->context == wanted->what;
}

static void describe(struct lge_class *class, const struct description *wanted) {
    class->kind = wanted->kind;
    class->epoch = atomic_load_explicit(&lge_modules_epoch, memory_order_relaxed);
    class->level = wanted->level;
    class->keyed = wanted->keyed;
    class->by_address = wanted->by_address;
    class->by_front_end = wanted->by_front_end;
    class->anyhow = wanted->anyhow;
    class->order = wanted->order;
    if (class->kind == LGR_CLASS_STATIC)
        class->variable = (uintptr_t)wanted->what;
    if (class->kind == LGR_CLASS_INIT || class->kind == LGR_CLASS_GUESS)
        class->context = (uint32_t)wanted->what;
    if (wanted->name == NULL)
        return;
    class->context = wanted->context;
    class->name_length = (size_t)wanted->what;
    class->name = lgp_alloc(class->name_length + 1);
    if (class->name != NULL)
        memcpy(class->name, wanted->name, class->name_length);
}

static uint64_t key_of(const struct description *wanted) {
    uint64_t key = lge_mix(lge_mix(wanted->kind, wanted->context), wanted->what);
    return wanted->name == NULL ? key : lge_mix_bytes(key, wanted->name, (size_t)wanted->what);
}

/* *fresh (may be NULL): the class was made now. */
static uint32_t intern(const struct description *wanted, bool *fresh) {
    uint64_t key = key_of(wanted);
    lgp_lock(&classes.lock);
    struct lge_class *class = NULL;
    for (size_t i = lge_map_first(&classes.by_key, key); i != SIZE_MAX && class == NULL;
         i = lge_map_next(&classes.by_key, i)) {
        struct lge_class *candidate = lge_map_at(&classes.by_key, i);
        if (equal(candidate, wanted))
            class = candidate;
    }
    if (fresh != NULL)
        *fresh = class == NULL;
    if (class == NULL && (class = add(key)) != NULL) {
        describe(class, wanted);
        /* Release: pairs with the acquire load in lge_class_get. */
        atomic_store_explicit(&classes.count, class->id, memory_order_release);
    }
    lgp_unlock(&classes.lock);
    return class == NULL ? LGE_CLASS_NONE : class->id;
}

static uint32_t without_level(uint16_t kind, uint64_t what, const char *name, bool *fresh) {
    return intern(&(struct description){.kind = kind, .level = LGE_NO_LEVEL, .what = what, .name = name},
                  fresh);
}

uint32_t lge_class_named(const char *name) {
    return without_level(LGR_CLASS_NAMED, strlen(name), name, NULL);
}
uint32_t lge_class_initialised_at(uint32_t context) {
    return without_level(LGR_CLASS_INIT, context, NULL, NULL);
}
uint32_t lge_class_initialised_as(const char *name, uint32_t context) {
    struct description wanted = {.kind = LGR_CLASS_NAMED,
                                 .level = LGE_NO_LEVEL,
                                 .what = strlen(name),
                                 .name = name,
                                 .context = context};
    return intern(&wanted, NULL);
}
uint32_t lge_class_guessed(uint32_t context) { return without_level(LGR_CLASS_GUESS, context, NULL, NULL); }
uint32_t lge_class_static(uintptr_t address) { return without_level(LGR_CLASS_STATIC, address, NULL, NULL); }

uint32_t lge_class_static_first(uintptr_t address) {
    bool fresh;
    uint32_t id = without_level(LGR_CLASS_STATIC, address, NULL, &fresh);
    return fresh ? id : LGE_CLASS_NONE;
}

uint32_t lge_class_levelled(const char *name, int16_t level, bool keyed, bool by_front_end) {
    struct description wanted = {.kind = LGR_CLASS_NAMED,
                                 .level = level,
                                 .keyed = keyed,
                                 .by_front_end = by_front_end,
                                 .what = strlen(name),
                                 .name = name};
    if (!by_front_end && level != LGE_NO_LEVEL)
        atomic_store_explicit(&lge_levels_unchecked, true, memory_order_relaxed);
    return intern(&wanted, NULL);
}

uint32_t lge_class_ordered(const char *name, int16_t level, uint16_t nesting, uint32_t number) {
    struct description wanted = {.kind = LGR_CLASS_NAMED,
                                 .level = level,
                                 .keyed = nesting == LGR_NEST_BY_ADDRESS || nesting == LGR_NEST_BY_KEY,
                                 .by_address = nesting == LGR_NEST_BY_ADDRESS,
                                 .anyhow = nesting == LGR_NEST_ANYHOW,
                                 .order = number,
                                 .what = strlen(name),
                                 .name = name};
    atomic_store_explicit(&lge_levels_unchecked, true, memory_order_relaxed);
    return intern(&wanted, NULL);
}

uint32_t lge_class_count(void) { return atomic_load_explicit(&classes.count, memory_order_acquire); }

void lge_classes_reset(void) {
    uint32_t count = atomic_load_explicit(&classes.count, memory_order_relaxed);
    for (uint32_t id = 1; id <= count; id++) {
        struct lge_class *class = lge_class_get(id);
        if (class->name != NULL)
            lgp_free(class->name, class->name_length + 1);
        lgp_free(class, sizeof *class);
    }
    for (size_t i = 0; i * CLASSES_PER_PAGE < count; i++) {
        lgp_free(classes.pages[i], CLASSES_PER_PAGE * sizeof(struct lge_class *));
        atomic_store_explicit(&classes.pages[i], NULL, memory_order_relaxed);
    }
    lge_map_clear(&classes.by_key);
    atomic_store_explicit(&classes.count, 0, memory_order_relaxed);
}

struct lgp_part lge_classes_part(void) {
    return (struct lgp_part){&classes.lock, (void *)&classes, sizeof classes};
}
