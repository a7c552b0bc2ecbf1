#include "level_words.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

static int level(const struct model_lock *lock) {
    return lock && lock->class ? lock->class->level : NO_LEVEL;
}

/* "40 (session)" */
static const char *number_and_name(struct pool *pool, int number, const char *name) {
    return name ? pool_printf(pool, "%d (%s)", number, name) : pool_printf(pool, "%d", number);
}

const char *level_of_lock(struct pool *pool, const struct model_lock *lock) {
    if (level(lock) == NO_LEVEL)
        return "";
    return pool_printf(pool, " (level %s)", number_and_name(pool, level(lock), lock->class->level_name));
}

static bool named(const struct model_lock *lock) { return lock && lock->class && lock->class->name; }

bool names_forbid(const struct model_lock *wanted, const struct model_lock *held) {
    bool levelled = level(wanted) != NO_LEVEL && level(held) != NO_LEVEL;
    return named(wanted) && named(held) && (!levelled || level(wanted) > level(held));
}

const char *level_keys(const struct model_lock *wanted, const struct model_lock *held) {
    if (level(wanted) == NO_LEVEL || level(wanted) != level(held))
        return "";
    return ", or one of the same level with a greater key where that level is keyed";
}

/* ---- the order around the two ---- */

static int compare(const void *a, const void *b) {
    const struct lgr_class_info *one = *(const struct lgr_class_info *const *)a;
    const struct lgr_class_info *other = *(const struct lgr_class_info *const *)b;
    return one->level != other->level ? one->level - other->level
                                      : (one->id > other->id) - (one->id < other->id);
}

/* The declared classes by level; their number. */
static size_t declared(struct pool *pool, const struct lgr_file *file,
                       const struct lgr_class_info ***sorted) {
    size_t all, count = 0;
    const struct lgr_class_info *classes = lgr_classes(file, &all);
    const struct lgr_class_info **list = pool_array(pool, all + 1, sizeof *list);
    for (size_t i = 0; i < all; i++)
        if (classes[i].level != NO_LEVEL)
            list[count++] = &classes[i];
    qsort(list, count, sizeof *list, compare);
    *sorted = list;
    return count;
}

/* The nearest level beyond `from` on that side; `from` when there is none. */
static int neighbour(const struct lgr_class_info *const *list, size_t count, int from, bool below) {
    int best = from;
    for (size_t i = 0; i < count; i++) {
        int found = list[i]->level;
        if (below ? found < from && (best == from || found > best)
                  : found > from && (best == from || found < best))
            best = found;
    }
    return best;
}

static const char *in_order(struct pool *pool, const struct lgr_class_info *class) {
    const char *level_name = class->level_name ? text_clean(pool, class->level_name) : NULL;
    const char *name = class->name ? text_clean(pool, class->name) : "?";
    return pool_printf(pool, "%s %s", number_and_name(pool, class->level, level_name), name);
}

const char *level_order(struct pool *pool, const struct model_lock *wanted, const struct model_lock *held) {
    if (level(wanted) == NO_LEVEL || level(held) == NO_LEVEL)
        return "";
    const struct lgr_class_info **list;
    size_t count = declared(pool, wanted->process->file, &list);
    int low = neighbour(list, count, level(wanted), true), high = neighbour(list, count, level(held), false);
    const char *text = "";
    for (size_t i = 0; i < count; i++)
        if (list[i]->level >= low && list[i]->level <= high)
            text = pool_printf(pool, "%s%s%s", text, *text ? ", " : ": the declared order is ",
                               in_order(pool, list[i]));
    return text;
}
