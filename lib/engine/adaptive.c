#include "engine/adaptive.h"

#include "engine/hold_times.h"
#include "engine/lifecycle.h"
#include "engine/map.h"
#include "engine/operation.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

/* One class in one operation. */
struct adaptive {
    uint64_t key;
    uint64_t holds; /* all there were */
    uint64_t since; /* of these, since the limit was looked at */
    uint32_t limit_ms;
    struct lgr_times times;
    struct adaptive *next; /* in the list of all */
};

static struct {
    struct lgp_lock lock;
    struct lge_map by_key;
    struct adaptive *first;
} all;

static struct lge_adaptive_limits limits; /* written once at the start */
static void (*on_adapted)(const struct lge_adapted *adapted);

void lge_adaptive_start(const struct lge_config *config) {
    limits = config->adaptive;
    on_adapted = config->on_adapted;
}

static uint64_t key_of(const struct lge_thread *thread, uint32_t class_id) {
    return (uint64_t)lge_operation(thread) << 32 | class_id;
}

static struct adaptive *obtain(uint64_t key) {
    struct adaptive *adaptive = lge_map_get(&all.by_key, key);
    if (adaptive != NULL)
        return adaptive;
    adaptive = lgp_alloc(sizeof *adaptive);
    if (adaptive == NULL || !lge_map_add(&all.by_key, key, adaptive)) {
        lgp_free(adaptive, sizeof *adaptive);
        return NULL;
    }
    adaptive->key = key;
    adaptive->next = all.first;
    all.first = adaptive;
    return adaptive;
}

uint32_t lge_adaptive_limit(const struct lge_thread *thread, uint32_t class_id) {
    if (limits.factor_percent == 0 || class_id == LGE_CLASS_NONE)
        return 0;
    lgp_lock(&all.lock);
    const struct adaptive *adaptive = obtain(key_of(thread, class_id));
    uint32_t limit_ms = adaptive == NULL ? 0 : adaptive->limit_ms;
    lgp_unlock(&all.lock);
    return limit_ms;
}

/* Rounded up: a limit is never shorter than it should be. */
static uint32_t limit_for(uint64_t p99_ns) {
    enum { MILLISECOND = 1000000, PERCENT = 100 };
    uint64_t most = (uint64_t)limits.most_ms, longest_ns = most * MILLISECOND * PERCENT;
    if (p99_ns >= longest_ns / limits.factor_percent)
        return limits.most_ms;
    uint64_t ms = (p99_ns * limits.factor_percent / PERCENT + MILLISECOND - 1) / MILLISECOND;
    return ms < limits.least_ms ? limits.least_ms : ms > most ? limits.most_ms : (uint32_t)ms;
}

static void fade(struct adaptive *adaptive) {
    enum { MANY = 1000 };
    if (lgr_times_count(&adaptive->times) < MANY)
        return;
    for (unsigned i = 0; i < LGR_BUCKETS; i++)
        adaptive->times.buckets[i] /= 2;
}

/* True when the limit is another one; then *adapted says so. */
static bool adapt(struct adaptive *adaptive, struct lge_adapted *adapted) {
    uint64_t p99_ns = lgr_times_quantile(&adaptive->times, 99);
    uint32_t limit_ms = limit_for(p99_ns), before = adaptive->limit_ms;
    adaptive->since = 0;
    fade(adaptive);
    if (limit_ms == before)
        return false;
    adaptive->limit_ms = limit_ms;
    *adapted = (struct lge_adapted){.class_id = (uint32_t)adaptive->key,
                                    .from_ms = before,
                                    .to_ms = limit_ms,
                                    .holds = adaptive->holds,
                                    .p99_ns = p99_ns};
    return true;
}

void lge_adaptive_held(const struct lge_thread *thread, uint32_t class_id, uint64_t ns) {
    struct lge_adapted adapted;
    bool changed = false;
    lgp_lock(&all.lock);
    struct adaptive *adaptive = lge_map_get(&all.by_key, key_of(thread, class_id));
    if (adaptive != NULL) {
        lgr_times_note(&adaptive->times, ns);
        adaptive->holds++;
        changed = ++adaptive->since >= LGE_ADAPTIVE_HOLDS && adapt(adaptive, &adapted);
    }
    lgp_unlock(&all.lock);
    if (!changed || on_adapted == NULL)
        return;
    adapted.operation = lge_operation_name(lge_operation(thread));
    on_adapted(&adapted);
}

void lge_adaptive_reset(void) {
    struct adaptive *next;
    for (struct adaptive *adaptive = all.first; adaptive != NULL; adaptive = next) {
        next = adaptive->next;
        lgp_free(adaptive, sizeof *adaptive);
    }
    all.first = NULL;
    lge_map_clear(&all.by_key);
}

struct lgp_part lge_adaptive_part(void) {
    return (struct lgp_part){&all.lock, (void *)&all, sizeof all};
}
