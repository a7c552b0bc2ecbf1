#include "wait_words.h"

#include "stacks.h"

const char *wait_words(struct pool *pool, const struct model_wait *wait) {
    const char *words =
        pool_printf(pool, "waits for %s at %s", wait->what, frame_place(pool, stack_site(&wait->at)));
    if (wait->owner)
        words = pool_printf(pool, "%s, held by %s", words, wait->owner->label);
    for (size_t i = 0; i < wait->held_count; i++)
        words = pool_printf(pool, "%s%s%s", words, i ? ", " : "; holds ", wait->held[i].lock->short_name);
    return words;
}
