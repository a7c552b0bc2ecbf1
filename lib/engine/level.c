#include "engine/level.h"

#include "engine/context.h"
#include "engine/declared.h"
#include "engine/lock_class.h"
#include "engine/lock_note.h"
#include "engine/misuse.h"

_Atomic bool lge_levels_unchecked;

int16_t lge_class_level(uint32_t class_id) {
    const struct lge_class *class = lge_class_get(class_id);
    return class == NULL ? (int16_t)LGE_NO_LEVEL : class->level;
}

bool lge_lock_declared(uint64_t id) {
    const struct lge_class *class = lge_class_get(lge_lock_class(id));
    return class != NULL && (class->level != LGE_NO_LEVEL || class->order != 0);
}

/* ---- what stands in the way ---- */

struct rank {
    int16_t level;
    bool keyed;
    uint64_t key;
    uint32_t anyhow; /* the class whose locks nest in any order; 0: they do not */
};

/* Of a lock that no front end gives one. */
static uint64_t key_of(const struct lge_class *class, uint64_t id, const void *address) {
    return class->by_address ? (uintptr_t)address : lge_noted_key(id);
}

static struct rank rank_of(const struct lge_held *held) {
    const struct lge_class *class = lge_class_get(lge_lock_class(held->id));
    struct rank rank = {.level = LGE_NO_LEVEL};
    if (class == NULL || class->level == LGE_NO_LEVEL)
        return rank;
    rank.level = class->level;
    bool marked = (held->attributes & LGE_HELD_LEVEL) != 0;
    rank.keyed = class->keyed && (marked || !class->by_front_end);
    rank.key = !rank.keyed ? 0 : marked ? held->order_key : key_of(class, held->id, held->address);
    rank.anyhow = class->anyhow ? class->id : 0;
    return rank;
}

static bool above(const struct rank *wanted, const struct rank *held) {
    if (wanted->level != held->level)
        return wanted->level > held->level;
    if (wanted->anyhow != 0 && wanted->anyhow == held->anyhow)
        return true;
    return wanted->keyed && held->keyed && wanted->key > held->key;
}

/* Whether a hold may have a level: one that the front end did not mark has none,
 * while no class is checked by lge_check. */
static bool may_have_level(const struct lge_held *held) {
    return (held->attributes & LGE_HELD_LEVEL) != 0 ||
           atomic_load_explicit(&lge_levels_unchecked, memory_order_relaxed);
}

/* The highest of the holds below `from`, which is not looked at, that `wanted` is not above;
 * NULL: none.  Of one level, locks with a key and without are not above each other: that it
 * is above the newest says nothing of what that was taken past. */
static const struct lge_held *forbids(const struct lge_thread *thread, const struct lge_held *from,
                                      const struct rank *wanted) {
    const struct lge_held *highest = NULL;
    struct rank rank = {.level = LGE_NO_LEVEL};
    for (const struct lge_held *held = from - 1; held > thread->base; held--) {
        if (held->address == NULL || !may_have_level(held))
            continue;
        struct rank found = rank_of(held);
        if (found.level == LGE_NO_LEVEL)
            continue;
        if (!above(wanted, &found) && (highest == NULL || above(&found, &rank))) {
            highest = held;
            rank = found;
        }
        if ((held->attributes & (LGE_HELD_LEVEL | LGE_HELD_BELOW)) == LGE_HELD_LEVEL)
            break;
    }
    return highest;
}

bool lge_level_allows(const struct lge_thread *thread, int16_t level, bool keyed, uint64_t key) {
    struct rank wanted = {level, keyed, keyed ? key : 0, 0};
    return forbids(thread, thread->top + 1, &wanted) == NULL;
}

/* ---- events ---- */

void lge_level_report(struct lge_thread *thread, const struct lge_request *request,
                      const struct lge_held *forbidding, uint64_t detail) {
    uint32_t context = lge_context_resolve(thread, request->site, request->sp);
    struct lge_misuse misuse = {
        .kind = LGR_KIND_LEVEL_VIOLATION,
        .lock = request->id,
        .other = forbidding->id,
        .detail = detail,
        .context = request->context != 0 ? request->context : context,
        .earlier_context = forbidding->context,
        .earlier_thread = lge_thread_serial(thread),
        .address = request->address,
        .lock_kind = request->kind,
        .attributes = request->attributes,
    };
    lge_report_misuse(thread, &misuse);
}

bool lge_level_check(struct lge_thread *thread, const struct lge_request *request, uint64_t key) {
    const struct lge_class *class = lge_class_get(lge_lock_class(request->id));
    if (class == NULL || class->level == LGE_NO_LEVEL)
        return true;
    struct rank wanted = {class->level, class->keyed, class->keyed ? key : 0, class->anyhow ? class->id : 0};
    const struct lge_held *forbidding = forbids(thread, thread->top + 1, &wanted);
    if (forbidding == NULL || lge_holds(thread, request->address))
        return true;
    lge_level_report(thread, request, forbidding, 0);
    return false;
}

void lge_level_hold(struct lge_thread *thread, const void *address, uint64_t key) {
    struct lge_held *held = thread->top;
    if (held == thread->base || held->address != address)
        return;
    held->order_key = key;
    held->attributes |= LGE_HELD_LEVEL;
    struct rank own = rank_of(held);
    if (own.level == LGE_NO_LEVEL)
        held->attributes &= (uint8_t)~LGE_HELD_LEVEL;
    else if (forbids(thread, held, &own) != NULL)
        held->attributes |= LGE_HELD_BELOW;
}

void lge_level_requested(struct lge_thread *thread, const struct lge_request *request) {
    const struct lge_class *class = lge_class_get(lge_lock_class(request->id));
    if (class == NULL || class->by_front_end)
        return;
    if (!lge_level_check(thread, request, key_of(class, request->id, request->address)))
        return;
    const struct lge_held *forbidding = lge_declared_forbids(thread, class->id);
    if (forbidding != NULL && !lge_holds(thread, request->address))
        lge_level_report(thread, request, forbidding, LGR_LEVEL_PAIR);
}

void lge_levels_reset(void) { atomic_store_explicit(&lge_levels_unchecked, false, memory_order_relaxed); }
