#include "engine/level_name.h"

#include <stdatomic.h>
#include <string.h>

#include "engine/evidence.h"
#include "platform/memory.h"

/* Entries are complete before they are in the list (release), and stay. */
static _Atomic(struct lge_level_name *) newest;

static size_t size_of(size_t length) { return sizeof(struct lge_level_name) + length + 1; }

struct lge_level_name *lge_level_name_of(int16_t level) {
    struct lge_level_name *name = atomic_load_explicit(&newest, memory_order_acquire);
    while (name != NULL && name->level != level)
        name = name->older;
    return name;
}

static bool is_called(int16_t level, const char *text) {
    const struct lge_level_name *name = lge_level_name_of(level);
    return name != NULL && strcmp(name->text, text) == 0;
}

static void put_in(struct lge_level_name *name) {
    struct lge_level_name *before = atomic_load_explicit(&newest, memory_order_acquire);
    do
        name->older = before;
    while (!atomic_compare_exchange_weak_explicit(&newest, &before, name, memory_order_release,
                                                  memory_order_acquire));
}

bool lge_level_name_set(int16_t level, const char *text) {
    size_t length = strlen(text);
    if (is_called(level, text))
        return true;
    struct lge_level_name *name = lgp_alloc(size_of(length));
    if (name == NULL)
        return false;
    name->level = level;
    name->length = length;
    memcpy(name->text, text, length);
    put_in(name);
    lge_evidence_level(level);
    return true;
}

void lge_level_names_reset(void) {
    struct lge_level_name *name = atomic_load_explicit(&newest, memory_order_relaxed);
    atomic_store_explicit(&newest, NULL, memory_order_relaxed);
    while (name != NULL) {
        struct lge_level_name *older = name->older;
        lgp_free(name, size_of(name->length));
        name = older;
    }
}
