#include "engine/hold_times.h"

#include <string.h>

#include "engine/adaptive.h"
#include "engine/lifecycle.h"
#include "platform/memory.h"

unsigned lge_timing;

static struct { struct lge_hold_times *ended; } all;

void lge_hold_times_start(const struct lge_config *config) {
    lge_timing = (config->profile ? LGE_TIMING_PROFILE : 0u) |
                 (config->adaptive.factor_percent != 0 ? LGE_TIMING_ADAPTIVE : 0u);
}

/* ---- a table ---- */

static size_t size_of(uint32_t room) {
    return sizeof(struct lge_hold_times) + room * sizeof(struct lge_class_times *);
}

static void put(struct lge_hold_times *table, struct lge_class_times *times) {
    uint32_t at = times->class_id & table->mask;
    while (table->slots[at] != NULL)
        at = (at + 1) & table->mask;
    table->slots[at] = times;
    table->count++;
}

/* The table with room for one more; NULL: memory is out. */
static struct lge_hold_times *with_room(struct lge_hold_times *table) {
    enum { FIRST = 16 };
    if (table != NULL && table->count < table->mask - table->mask / 4)
        return table;
    uint32_t room = table == NULL ? FIRST : (table->mask + 1) * 2;
    struct lge_hold_times *larger = lgp_alloc(size_of(room));
    if (larger == NULL)
        return NULL;
    larger->mask = room - 1;
    for (uint32_t i = 0; table != NULL && i <= table->mask; i++)
        if (table->slots[i] != NULL)
            put(larger, table->slots[i]);
    if (table != NULL)
        lgp_free(table, size_of(table->mask + 1));
    return larger;
}

/* A new one, of that thread; 0: of those that ended. */
static struct lge_class_times *obtain(struct lge_hold_times **table, uint32_t class_id, uint32_t tid) {
    struct lge_hold_times *roomy = with_room(*table);
    struct lge_class_times *times = roomy == NULL ? NULL : lgp_alloc(sizeof *times);
    if (roomy != NULL)
        *table = roomy;
    if (times == NULL)
        return NULL;
    times->class_id = class_id;
    times->random = (uint32_t)lge_mix(tid, class_id);
    put(roomy, times);
    return times;
}

static void free_table(struct lge_hold_times *table) {
    if (table == NULL)
        return;
    for (uint32_t i = 0; i <= table->mask; i++)
        lgp_free(table->slots[i], sizeof *table->slots[i]);
    lgp_free(table, size_of(table->mask + 1));
}

/* ---- holds ---- */

void lge_hold_begins(struct lge_held *held) {
    __atomic_store_n(&held->since_ns, lgp_ticks(), __ATOMIC_RELAXED);
    __atomic_store_n(&held->marks, LGE_SINCE_TICKS, __ATOMIC_RELEASE);
}

static struct lge_class_times *times_of(struct lge_thread *thread, uint32_t class_id) {
    struct lge_class_times *times = lge_class_times_of(thread, class_id);
    if (times != NULL)
        return times;
    lge_threads_lock();
    times = obtain(&thread->hold_times, class_id, lge_thread_tid(thread));
    lge_threads_unlock();
    return times;
}

enum { TIMED = LGE_SINCE_TICKS | LGE_SINCE_EXACTLY | LGE_HOLD_SAMPLED };

static void sampled_hold_ends(struct lge_thread *thread, uint32_t class_id, const struct lge_held *held) {
    struct lge_class_times *times = times_of(thread, class_id);
    uint64_t more;
    if (times != NULL && !lge_sample_passes(times, held))
        lge_sample_ends(times, held, &more);
}

void lge_hold_ends(struct lge_thread *thread, const struct lge_held *held) {
    uint8_t marks = lge_held_marks(held);
    uint32_t class_id = lge_lock_class(held->id);
    if ((marks & TIMED) == 0 || class_id == LGE_CLASS_NONE || thread->handlers.depth != 0)
        return;
    if (marks & LGE_HOLD_SAMPLED) {
        sampled_hold_ends(thread, class_id, held);
        return;
    }
    uint64_t ns = marks & LGE_SINCE_TICKS ? lgp_ticks_between(held->since_ns, lgp_ticks())
                                          : lgp_monotonic_ns() - held->since_ns;
    if (lge_timing & LGE_TIMING_ADAPTIVE)
        lge_adaptive_held(thread, class_id, ns);
    struct lge_class_times *times = lge_timing & LGE_TIMING_PROFILE ? times_of(thread, class_id) : NULL;
    if (times != NULL)
        lgr_times_note(&times->hold, ns);
}

/* ---- all of them ---- */

static void visit_all(const struct lge_hold_times *table,
                      void (*visit)(const struct lge_class_times *times, void *user), void *user) {
    for (uint32_t i = 0; table != NULL && i <= table->mask; i++)
        if (table->slots[i] != NULL)
            visit(table->slots[i], user);
}

void lge_hold_times_each(void (*visit)(const struct lge_class_times *times, void *user), void *user) {
    for (struct lge_thread *t = lge_threads_first(); t != NULL; t = t->next_in_list)
        visit_all(t->hold_times, visit, user);
    for (struct lge_thread *t = lge_threads_leaving(); t != NULL; t = t->next_in_list)
        visit_all(t->hold_times, visit, user);
    visit_all(all.ended, visit, user);
}

static void keep(const struct lge_class_times *times, void *user) {
    (void)user;
    struct lge_class_times *sum = lge_class_times(all.ended, times->class_id);
    if (sum == NULL)
        sum = obtain(&all.ended, times->class_id, 0);
    if (sum != NULL)
        lge_sample_add(&sum->hold, &sum->estimated, times);
}

void lge_hold_times_end(struct lge_thread *thread) {
    visit_all(thread->hold_times, keep, NULL);
    free_table(thread->hold_times);
    thread->hold_times = NULL;
    memset(thread->times_at, 0, sizeof thread->times_at);
}

void lge_hold_times_after_fork(struct lge_thread *self) {
    free_table(self->hold_times);
    self->hold_times = NULL;
    memset(self->times_at, 0, sizeof self->times_at);
    lge_hold_times_reset();
}

void lge_hold_times_reset(void) {
    free_table(all.ended);
    all.ended = NULL;
}

struct lgp_part lge_hold_times_part(void) {
    return (struct lgp_part){NULL, (void *)&all, sizeof all};
}
