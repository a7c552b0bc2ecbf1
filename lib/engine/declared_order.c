#include "engine/declared_order.h"
#include "engine/lifecycle.h"

#include <string.h>

#include "engine/graph.h"
#include "engine/known.h"
#include "engine/level.h"
#include "engine/lock_class.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

_Atomic bool lge_orders_declared;

struct pair {
    uint64_t first, second; /* names as numbers */
    uint64_t search;        /* the last one that went along it */
};

/* The lists are short: a program writes each of its pairs down by hand. */
static struct {
    struct lgp_lock lock;
    struct pair *pairs;
    size_t count, room;
    uint64_t searches;
} orders;

static uint64_t number(const char *name, size_t length) { return lge_mix_bytes(length, name, length); }

/* ---- what follows; under the lock ---- */

static bool leads(uint64_t from, uint64_t to) {
    bool found = false;
    for (size_t i = 0; i < orders.count && !found; i++) {
        struct pair *pair = &orders.pairs[i];
        if (pair->first != from || pair->search == orders.searches)
            continue;
        pair->search = orders.searches;
        found = pair->second == to || leads(pair->second, to);
    }
    return found;
}

static bool precedes(uint64_t first, uint64_t second) {
    orders.searches++;
    return leads(first, second);
}

static bool add(uint64_t first, uint64_t second) {
    if (orders.count == orders.room) {
        size_t room = orders.room != 0 ? orders.room * 2 : 32;
        struct pair *pairs = lgp_resize(orders.pairs, orders.room * sizeof *pairs, room * sizeof *pairs);
        if (pairs == NULL)
            return false;
        orders.pairs = pairs;
        orders.room = room;
    }
    orders.pairs[orders.count++] = (struct pair){first, second, 0};
    return true;
}

bool lge_declare_order(const char *first, const char *second) {
    uint64_t one = number(first, strlen(first)), other = number(second, strlen(second));
    lgp_lock(&orders.lock);
    bool possible = one != other && !precedes(other, one);
    bool declared = possible && (precedes(one, other) || add(one, other));
    lgp_unlock(&orders.lock);
    if (!declared)
        return false;
    atomic_store_explicit(&lge_orders_declared, true, memory_order_relaxed);
    lge_table_lock();
    lge_known_clear_all(); /* what is known was not looked at for this */
    lge_table_unlock();
    return true;
}

/* ---- requests ---- */

/* 0: its class has no name. */
static uint64_t name_of(uint64_t id) {
    const struct lge_class *class = lge_class_get(lge_lock_class(id));
    return class == NULL || class->name == NULL ? 0 : number(class->name, class->name_length);
}

/* The newest hold that had to be taken after it, or NULL. */
static const struct lge_held *taken_too_early(const struct lge_thread *thread, uint64_t wanted) {
    const struct lge_held *found = NULL;
    lgp_lock(&orders.lock);
    for (const struct lge_held *held = thread->top; held > thread->base && found == NULL; held--) {
        uint64_t name = held->address == NULL ? 0 : name_of(held->id);
        if (name != 0 && precedes(wanted, name))
            found = held;
    }
    lgp_unlock(&orders.lock);
    return found;
}

void lge_declared_order_requested(struct lge_thread *thread, const struct lge_request *request) {
    uint64_t wanted = name_of(request->id);
    const struct lge_held *held = wanted == 0 ? NULL : taken_too_early(thread, wanted);
    if (held != NULL)
        lge_level_report(thread, request, held, 0);
}

void lge_declared_orders_reset(void) {
    lgp_free(orders.pairs, orders.room * sizeof *orders.pairs);
    orders.pairs = NULL;
    orders.count = orders.room = 0;
    atomic_store_explicit(&lge_orders_declared, false, memory_order_relaxed);
}

struct lgp_part lge_declared_orders_part(void) {
    return (struct lgp_part){&orders.lock, (void *)&orders, sizeof orders};
}
