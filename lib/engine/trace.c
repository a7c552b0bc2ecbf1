#include "engine/trace.h"

#include "platform/system.h"

void (*lge_on_traced)(enum lge_traced what, uint64_t lock, const void *address, uint8_t kind, uint64_t ns);

void lge_trace_start(const struct lge_config *config) { lge_on_traced = config->on_traced; }

void lge_trace_requested(struct lge_thread *thread, const struct lge_request *request) {
    thread->asked = request->id;
    thread->asked_ns = lgp_monotonic_ns();
    lge_on_traced(LGE_TRACED_REQUEST, request->id, request->address, request->kind, 0);
}

/* A trylock was not asked for before. */
void lge_trace_acquired(struct lge_thread *thread) {
    struct lge_held *held = thread->top;
    uint64_t now = lgp_monotonic_ns();
    uint64_t took = thread->asked == held->id ? now - thread->asked_ns : 0;
    thread->asked = 0;
    __atomic_store_n(&held->since_ns, now, __ATOMIC_RELAXED);
    lge_held_mark(held, LGE_SINCE_EXACTLY);
    if (lge_tracing())
        lge_on_traced(LGE_TRACED_ACQUISITION, held->id, held->address, held->kind, took);
}

void lge_trace_released(const struct lge_held *held) {
    uint64_t lasted = lge_held_marks(held) & LGE_SINCE_EXACTLY ? lgp_monotonic_ns() - held->since_ns : 0;
    lge_on_traced(LGE_TRACED_RELEASE, held->id, held->address, held->kind, lasted);
}
