#include "wrapper/call.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/adaptive.h"
#include "engine/blocked.h"
#include "engine/context.h"
#include "engine/hold_times.h"
#include "engine/level.h"
#include "interpose/runtime.h"
#include "platform/print.h"

enum { HIGHEST_LEVEL = INT16_MAX, FIRST_TIMEOUT_MS = 30000, NAME_SIZE = 32 };

static _Atomic int32_t default_timeout_ms = FIRST_TIMEOUT_MS;
static _Atomic int process_policy = LG_REPORT;  /* enum lg_policy */
static enum lg_policy first_policy = LG_REPORT; /* written by the constructor */

void lgw_start(enum lg_policy policy) {
    first_policy = policy;
    lg_on_violation(policy);
}

/* ---- what is declared ---- */

int lgw_declare(struct lg_declared *declared, const char *name, int level, bool keyed, uint64_t key) {
    if (level < LG_NO_LEVEL || level > HIGHEST_LEVEL)
        return EINVAL;
    *declared = (struct lg_declared){.name = name, .level = (int16_t)level, .keyed = keyed, .key = key};
    return 0;
}

/* A level without a name is a name. */
uint32_t lgw_class(const struct lg_declared *declared) {
    char buffer[NAME_SIZE];
    const char *name = declared->name;
    if (name == NULL && declared->level <= LG_NO_LEVEL)
        return LGE_CLASS_NONE;
    if (name == NULL) {
        struct lgp_text text = {buffer, sizeof buffer, 0};
        lgp_format(&text, "level %d", declared->level);
        name = buffer;
    }
    int16_t level = declared->level <= LG_NO_LEVEL ? (int16_t)LGE_NO_LEVEL : declared->level;
    return lge_class_levelled(name, level, declared->keyed != 0, true);
}

/* ---- time limits ---- */

LGI_EXPORT void lg_default_timeout(int32_t ms) {
    int32_t kept = ms == LG_DEFAULT_TIMEOUT ? FIRST_TIMEOUT_MS : ms;
    atomic_store_explicit(&default_timeout_ms, kept, memory_order_relaxed);
}

/* 0: none so far. */
static int32_t adapted_timeout(const struct lg_declared *declared) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return 0;
    uint32_t ms = lge_adaptive_limit(thread, lgw_class(declared));
    lgi_leave(thread);
    return ms < INT32_MAX ? (int32_t)ms : INT32_MAX;
}

static int32_t timeout_of(const struct lg_declared *declared) {
    if (declared->timeout_ms != LG_DEFAULT_TIMEOUT)
        return declared->timeout_ms;
    if (declared->group != NULL && declared->group->timeout_ms != LG_DEFAULT_TIMEOUT)
        return declared->group->timeout_ms;
    int32_t adapted = (lge_timing & LGE_TIMING_ADAPTIVE) != 0 ? adapted_timeout(declared) : 0;
    return adapted > 0 ? adapted : atomic_load_explicit(&default_timeout_ms, memory_order_relaxed);
}

const struct lgi_limit *lgw_net(const struct lg_declared *declared, struct lgi_limit *limit) {
    int32_t ms = timeout_of(declared);
    if (ms < 0)
        return NULL;
    *limit = lgw_after(ms);
    limit->net = true;
    return limit;
}

struct lgi_limit lgw_after(int32_t ms) {
    static const struct timespec long_ago = {0, 0};
    return (struct lgi_limit){.clock = CLOCK_MONOTONIC,
                              .at = &long_ago,
                              .by_clock = true,
                              .told = true,
                              .after_ms = ms > 0 ? (uint32_t)ms : 0};
}

struct lgi_limit lgw_until(const struct timespec *at) {
    return (struct lgi_limit){.clock = CLOCK_MONOTONIC, .at = at, .by_clock = true, .told = true};
}

/* ---- levels ---- */

LGI_EXPORT void lg_on_violation(enum lg_policy policy) {
    enum lg_policy kept = policy == LG_DEFAULT ? first_policy : policy;
    atomic_store_explicit(&process_policy, (int)kept, memory_order_relaxed);
}

static enum lg_policy policy_of(const struct lg_declared *declared) {
    const struct lg_group *group = declared->group;
    int32_t own = group == NULL ? (int32_t)LG_DEFAULT : group->policy & ~LG_MAY_BLOCK;
    if (own != LG_DEFAULT)
        return (enum lg_policy)own;
    return (enum lg_policy)atomic_load_explicit(&process_policy, memory_order_relaxed);
}

/* The evidence lies in the page cache, which outlives the process. */
__attribute__((noreturn)) static void end_program(struct lge_thread *thread) {
    lgi_write_figures();
    lgi_leave(thread);
    abort();
}

bool lgw_refuses(struct lge_thread *thread, const struct lg_declared *declared) {
    enum lg_policy policy = policy_of(declared);
    if (policy == LG_ABORT)
        end_program(thread);
    return policy == LG_REFUSE;
}

int lgw_permit(struct lge_thread *thread, const struct lgw_call *call, uint64_t id) {
    if (call->declared->level <= LG_NO_LEVEL)
        return 0;
    struct lge_request request = {.address = call->address,
                                  .id = id,
                                  .site = call->site,
                                  .sp = call->sp,
                                  .mode = call->mode,
                                  .kind = call->kind};
    if (lge_level_check(thread, &request, call->declared->key))
        return 0;
    return lgw_refuses(thread, call->declared) ? EDEADLK : 0;
}

int lgw_taken(const struct lgw_call *call, int result) {
    const struct lg_declared *declared = call->declared;
    if (result != 0 || (declared->level <= LG_NO_LEVEL && !lgw_may_block(declared)))
        return result;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return 0;
    if (lgw_may_block(declared))
        lge_blocked_allow(thread, call->address);
    if (declared->level > LG_NO_LEVEL)
        lge_level_hold(thread, call->address, declared->key);
    lgi_leave(thread);
    return 0;
}

bool lgw_holds(const void *address) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return false;
    bool holds = lge_holds(thread, address);
    lgi_leave(thread);
    return holds;
}
