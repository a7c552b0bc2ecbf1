#include "interpose/callback_pair.h"

#include <stdatomic.h>

#include "platform/memory.h"

static const struct lgi_pair *find(const struct lgi_pair *pair, void (*function)(void), const void *user) {
    while (pair != NULL && (pair->function != function || pair->user != user))
        pair = pair->next;
    return pair;
}

static const struct lgi_pair *make(struct lgi_pair_place *place, void (*function)(void), void *user) {
    struct lgi_pair *pair = lgp_alloc(sizeof *pair);
    if (pair == NULL)
        return NULL;
    *pair = (struct lgi_pair){function, user, atomic_load_explicit(&place->made, memory_order_acquire)};
    while (!atomic_compare_exchange_weak_explicit(&place->made, &pair->next, pair, memory_order_acq_rel,
                                                  memory_order_acquire)) {
    }
    return pair;
}

void lgi_pair_set(struct lgi_pair_place *place, void (*function)(void), void *user) {
    const struct lgi_pair *pair = NULL;
    if (function != NULL)
        pair = find(atomic_load_explicit(&place->made, memory_order_acquire), function, user);
    if (function != NULL && pair == NULL)
        pair = make(place, function, user);
    atomic_store_explicit(&place->now, pair, memory_order_release);
}

const struct lgi_pair *lgi_pair_get(struct lgi_pair_place *place) {
    return atomic_load_explicit(&place->now, memory_order_acquire);
}
