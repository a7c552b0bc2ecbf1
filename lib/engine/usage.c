#include "engine/usage.h"

#include "engine/context.h"
#include "engine/evidence.h"
#include "engine/hold_times.h"
#include "engine/lifecycle.h"
#include "engine/map.h"
#include "engine/mix.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"
#include "platform/system.h"
#include "record/writer.h"

/* Of a class, or of the waits for its locks at one place. */
struct lge_usage {
    uint32_t class_id;
    uint32_t waiting;           /* now; of a class */
    uintptr_t site;             /* 0: the class */
    struct lgr_figures figures; /* hold, estimated: the sum, when it was last made */
    struct lgr_times hold;      /* that sum, while it is made */
    uint64_t estimated;
    struct lgr_usage *record; /* NULL: not written */
    bool refused;             /* there is no room for it */
    struct lge_usage *next;
};

static struct {
    struct lgp_lock lock;
    struct lge_map by_key; /* a hash of class and site */
    struct lge_usage *first;
    _Atomic uint64_t written; /* when; relaxed */
} all;

/* ---- one of them ---- */

static struct lge_usage *find(uint64_t key, uint32_t class_id, uintptr_t site) {
    for (size_t at = lge_map_first(&all.by_key, key); at != SIZE_MAX; at = lge_map_next(&all.by_key, at)) {
        struct lge_usage *usage = lge_map_at(&all.by_key, at);
        if (usage->class_id == class_id && usage->site == site)
            return usage;
    }
    return NULL;
}

static struct lge_usage *obtain(uint32_t class_id, uintptr_t site) {
    uint64_t key = lge_mix(class_id, site);
    struct lge_usage *usage = find(key, class_id, site);
    if (usage != NULL)
        return usage;
    usage = lgp_alloc(sizeof *usage);
    if (usage == NULL || !lge_map_add(&all.by_key, key, usage)) {
        lgp_free(usage, sizeof *usage);
        return NULL;
    }
    usage->class_id = class_id;
    usage->site = site;
    usage->next = all.first;
    all.first = usage;
    return usage;
}

/* ---- waits ---- */

/* Those of the thread's last wait mostly are those of the next. */
static bool find_both(struct lge_thread *thread) {
    uint32_t class_id = lge_lock_class(thread->request.id);
    uintptr_t site = thread->request.site;
    if (class_id == LGE_CLASS_NONE)
        return false;
    const struct lge_usage *last = thread->usage_at;
    if (last != NULL && last->class_id == class_id && last->site == site)
        return true;
    lgp_lock(&all.lock);
    thread->usage = obtain(class_id, 0);
    thread->usage_at = obtain(class_id, site);
    lgp_unlock(&all.lock);
    return thread->usage != NULL && thread->usage_at != NULL;
}

static void count(struct lge_usage *usage, bool changed) {
    __atomic_fetch_add(&usage->figures.contended, 1, __ATOMIC_RELAXED);
    if (changed)
        __atomic_fetch_add(&usage->figures.owner_changes, 1, __ATOMIC_RELAXED);
    lgr_raise(&usage->figures.waiters_max, __atomic_add_fetch(&usage->waiting, 1, __ATOMIC_RELAXED));
}

void lge_usage_wait_begins(struct lge_thread *thread, bool changed) {
    thread->wait_counted = find_both(thread);
    if (!thread->wait_counted)
        return;
    count(thread->usage, changed);
    if (thread->usage_at != thread->usage)
        count(thread->usage_at, changed);
}

static void end(struct lge_usage *usage, uint64_t ns) {
    __atomic_fetch_sub(&usage->waiting, 1, __ATOMIC_RELAXED);
    lgr_times_note_shared(&usage->figures.wait, ns);
}

void lge_usage_wait_ends(struct lge_thread *thread) {
    if (!thread->wait_counted)
        return;
    thread->wait_counted = false;
    uint64_t ns = lgp_monotonic_ns() - thread->wait_begun;
    end(thread->usage, ns);
    if (thread->usage_at != thread->usage)
        end(thread->usage_at, ns);
    lge_thread_waits_note(thread, ns);
}

/* ---- sums ---- */

static void add_hold(const struct lge_class_times *times, void *user) {
    (void)user;
    struct lge_usage *usage = obtain(times->class_id, 0);
    if (usage == NULL)
        return;
    lge_sample_add(&usage->hold, &usage->estimated, times);
}

/* What was told of holds that none stood for is not taken back (metrics only grow): of the
 * counts up to each edge, the larger one. */
static void keep_growing(struct lgr_times *told, const struct lgr_times *now) {
    uint64_t before = 0, after = 0, kept = 0;
    for (unsigned i = 0; i < LGR_BUCKETS; i++) {
        before += told->buckets[i];
        after += now->buckets[i];
        uint64_t larger = before > after ? before : after;
        told->buckets[i] = larger - kept;
        kept = larger;
    }
    lgr_raise(&told->total_ns, now->total_ns);
    lgr_raise(&told->max_ns, now->max_ns);
}

/* Under the lock. */
static void sum_up(void) {
    if ((lge_timing & LGE_TIMING_PROFILE) == 0)
        return;
    for (struct lge_usage *usage = all.first; usage != NULL; usage = usage->next) {
        usage->hold = (struct lgr_times){0};
        usage->estimated = 0;
    }
    lge_threads_lock();
    lge_hold_times_each(add_hold, NULL);
    lge_threads_unlock();
    for (struct lge_usage *usage = all.first; usage != NULL; usage = usage->next) {
        keep_growing(&usage->figures.hold, &usage->hold);
        lgr_raise(&usage->figures.estimated, usage->estimated);
    }
    lgp_ticks_refine();
}

static void copy_times(struct lgr_times *to, const struct lgr_times *from) {
    __atomic_store_n(&to->total_ns, lgr_figure(&from->total_ns), __ATOMIC_RELAXED);
    __atomic_store_n(&to->max_ns, lgr_figure(&from->max_ns), __ATOMIC_RELAXED);
    for (unsigned i = 0; i < LGR_BUCKETS; i++)
        __atomic_store_n(&to->buckets[i], lgr_figure(&from->buckets[i]), __ATOMIC_RELAXED);
}

static void write_one(struct lge_usage *usage) {
    if (usage->record == NULL && !usage->refused) {
        uint32_t context = usage->site == 0 ? 0 : lge_context_intern(&usage->site, 1, true);
        usage->record = lge_evidence_usage(usage->class_id, context);
        usage->refused = usage->record == NULL;
    }
    if (usage->record == NULL)
        return;
    struct lgr_figures *to = &usage->record->figures;
    const struct lgr_figures *from = &usage->figures;
    __atomic_store_n(&to->contended, lgr_figure(&from->contended), __ATOMIC_RELAXED);
    __atomic_store_n(&to->owner_changes, lgr_figure(&from->owner_changes), __ATOMIC_RELAXED);
    __atomic_store_n(&to->waiters_max, lgr_figure(&from->waiters_max), __ATOMIC_RELAXED);
    copy_times(&to->wait, &from->wait);
    copy_times(&to->hold, &from->hold);
    __atomic_store_n(&to->estimated, lgr_figure(&from->estimated), __ATOMIC_RELAXED);
}

void lge_usages_write(void) {
    if (!lgr_writer_is_own())
        return;
    lgp_lock(&all.lock);
    sum_up();
    for (struct lge_usage *usage = all.first; usage != NULL; usage = usage->next)
        write_one(usage);
    lge_thread_waits_write();
    lgp_unlock(&all.lock);
}

void lge_usages_write_sometimes(uint64_t now) {
    static const uint64_t often = 250000000;
    uint64_t last = atomic_load_explicit(&all.written, memory_order_relaxed);
    if (now - last >= often && atomic_compare_exchange_strong_explicit(
                                   &all.written, &last, now, memory_order_relaxed, memory_order_relaxed))
        lge_usages_write();
}

bool lge_usages_collect(struct lge_class_usage **usages, size_t *count_of) {
    size_t classes = 0, i = 0;
    lgp_lock(&all.lock);
    sum_up();
    for (struct lge_usage *usage = all.first; usage != NULL; usage = usage->next)
        classes += usage->site == 0;
    *count_of = classes;
    *usages = classes == 0 ? NULL : lgp_alloc(classes * sizeof **usages);
    for (struct lge_usage *usage = all.first; usage != NULL && *usages != NULL; usage = usage->next)
        if (usage->site == 0) {
            (*usages)[i].class_id = usage->class_id;
            lgr_figures_add(&(*usages)[i++].figures, &usage->figures);
        }
    lgp_unlock(&all.lock);
    return *usages != NULL || classes == 0;
}

/* ---- life ---- */

void lge_usages_after_fork(struct lge_thread *self) {
    self->wait_counted = false;
    lge_thread_waits_after_fork(self);
    for (struct lge_usage *usage = all.first; usage != NULL; usage = usage->next) {
        usage->waiting = 0;
        usage->figures = (struct lgr_figures){0};
        usage->record = NULL;
        usage->refused = false;
    }
}

void lge_usages_reset(void) {
    struct lge_usage *next;
    for (struct lge_usage *usage = all.first; usage != NULL; usage = next) {
        next = usage->next;
        lgp_free(usage, sizeof *usage);
    }
    all.first = NULL;
    lge_map_clear(&all.by_key);
    lge_thread_waits_reset();
    atomic_store_explicit(&all.written, 0, memory_order_relaxed);
}

struct lgp_part lge_usages_part(void) {
    return (struct lgp_part){&all.lock, (void *)&all, sizeof all};
}
