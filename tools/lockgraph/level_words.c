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

/* The declared classes by level, for free(); their number. */
static size_t declared(const struct lgr_file *file, const struct lgr_class_info ***sorted) {
    size_t all, count = 0;
    const struct lgr_class_info *classes = lgr_classes(file, &all);
    const struct lgr_class_info **list = checked_zeroed(all, sizeof *list);
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

/* Of each level as many as a sentence bears, and the two that it is about. */
enum { MOST_OF_A_LEVEL = 4 };

struct order_words {
    struct pool *pool;
    struct text text;
    int level; /* of the last one */
    size_t told, left_out;
};

static bool is_of(const struct lgr_class_info *class, const struct model_lock *lock) {
    const struct lgr_lock_info *info = lock->info;
    return info && info->class_id == class->id;
}

static void add_left_out(struct order_words *words) {
    if (words->left_out)
        text_printf(&words->text, " and %zu more", words->left_out);
    words->told = words->left_out = 0;
}

static void add_in_order(struct order_words *words, const struct lgr_class_info *class, bool needed) {
    if (class->level != words->level)
        add_left_out(words);
    words->level = class->level;
    if (!needed && words->told >= MOST_OF_A_LEVEL) {
        words->left_out++;
        return;
    }
    words->told++;
    text_printf(&words->text, "%s%s", words->text.length ? ", " : ": the declared order is ",
                in_order(words->pool, class));
}

const char *level_order(struct pool *pool, const struct model_lock *wanted, const struct model_lock *held) {
    if (level(wanted) == NO_LEVEL || level(held) == NO_LEVEL)
        return "";
    const struct lgr_class_info **list;
    size_t count = declared(wanted->process->file, &list);
    int low = neighbour(list, count, level(wanted), true), high = neighbour(list, count, level(held), false);
    struct order_words words = {.pool = pool};
    for (size_t i = 0; i < count; i++)
        if (list[i]->level >= low && list[i]->level <= high)
            add_in_order(&words, list[i], is_of(list[i], wanted) || is_of(list[i], held));
    add_left_out(&words);
    free(list);
    const char *told = pool_string(pool, text_string(&words.text));
    text_free(&words.text);
    return told;
}
