#include "order_words.h"

#include <string.h>

#include "stacks.h"

const char *order_quoted(struct pool *pool, const char *text) {
    if (*text && !strpbrk(text, " \t\"'#"))
        return text;
    return strchr(text, '"') ? pool_printf(pool, "'%s'", text) : pool_printf(pool, "\"%s\"", text);
}

const char *order_sites(struct pool *pool, const struct stack *held_at, const struct stack *requested_at) {
    return pool_printf(pool, "held since %s, requested at %s", frame_place(pool, stack_site(held_at)),
                       frame_place(pool, stack_site(requested_at)));
}

const char *order_count(struct pool *pool, size_t count, const char *one, const char *many) {
    return pool_printf(pool, "%zu %s", count, count == 1 ? one : many);
}
