#include "engine/step_cache.h"

#include "engine/context.h"
#include "engine/mix.h"
#include "platform/memory.h"
#include "platform/return_slot.h"

void lge_step_cache_free(struct lge_thread *thread) {
    struct lge_step_cache *gone = thread->steps;
    thread->steps = NULL; /* first, as in lge_context_cache_free */
    atomic_signal_fence(memory_order_seq_cst);
    lgp_free(gone, sizeof *gone);
}

/* Two ways. */
static struct lge_step *first_way(struct lge_step_cache *cache, uintptr_t pc, uintptr_t sp) {
    return &cache->steps[lge_mix(pc, sp) % (LGE_STEPS / 2) * 2];
}

static struct lge_step *find(const struct lge_thread *thread, uintptr_t pc, uintptr_t sp) {
    struct lge_step *step = first_way(thread->steps, pc, sp);
    if (step->pc == pc && step->sp == sp)
        return step;
    step++;
    return step->pc == pc && step->sp == sp ? step : NULL;
}

/* The newest is the first way. */
static void put(struct lge_thread *thread, struct lge_step made) {
    struct lge_step *known = find(thread, made.pc, made.sp);
    struct lge_step *step = first_way(thread->steps, made.pc, made.sp);
    if (known == NULL) {
        step[1] = step[0];
        known = step;
    }
    *known = made;
}

/* All of the stack, or its innermost `max` frames; 0 when a step is missing. */
static size_t walk(const struct lge_thread *thread, uintptr_t pc, uintptr_t sp, struct lgp_frame *frames,
                   size_t max) {
    for (size_t count = 0; sp < thread->stack_top;) {
        const struct lge_step *step = find(thread, pc, sp);
        if (step == NULL)
            return 0;
        frames[count++] = (struct lgp_frame){pc, sp, step->function};
        if (count == max || step->to_caller == 0)
            return count;
        uintptr_t slot = sp + step->slot;
        sp += step->to_caller;
        if (sp > thread->stack_top)
            return 0;
        pc = lgp_return_address_in(slot);
    }
    return 0;
}

/* Where no slot is certain the step is not remembered. */
static void remember(struct lge_thread *thread, const struct lgp_frame *frames, size_t count, bool whole) {
    for (size_t i = 0; i + 1 < count && frames[i + 1].sp <= thread->stack_top; i++) {
        const struct lgp_frame *at = &frames[i];
        uintptr_t slot = lgp_return_slot(at, at + 1);
        if (slot != 0)
            put(thread, (struct lge_step){at->pc, at->sp, at->function, (uint32_t)(at[1].sp - at->sp),
                                          (uint32_t)(slot - at->sp)});
    }
    const struct lgp_frame *last = &frames[count - 1];
    if (whole && last->sp <= thread->stack_top)
        put(thread, (struct lge_step){last->pc, last->sp, last->function, 0, 0});
}

static bool ready(struct lge_thread *thread, uintptr_t sp) {
    if (!lge_on_own_stack(thread, sp))
        return false;
    if (thread->steps == NULL)
        thread->steps = lgp_alloc(sizeof *thread->steps);
    return thread->steps != NULL;
}

/* A coroutine's.  Its last return address may be anything, and libgcc reads the code
 * there. */
static bool on_stack_of_the_program(const struct lge_thread *thread, uintptr_t sp) {
    return thread->stack_top != 0 && thread->handlers.depth == 0 && !lge_on_own_stack(thread, sp);
}

size_t lge_steps_unwind(struct lge_thread *thread, uintptr_t pc, uintptr_t sp, struct lgp_frame *frames,
                        size_t max) {
    if (on_stack_of_the_program(thread, sp))
        return 0;
    if (!ready(thread, sp))
        return lgp_unwind(sp, frames, max);
    size_t count = walk(thread, pc, sp, frames, max);
    if (count != 0)
        return count;
    count = lgp_unwind(sp, frames, max);
    if (count != 0 && frames[0].pc == pc)
        remember(thread, frames, count, count < max);
    return count;
}

bool lge_step_same_function(struct lge_thread *thread, uintptr_t pc, const struct lgp_frame *frame) {
    const struct lge_step *known = thread->steps == NULL ? NULL : find(thread, pc, frame->sp);
    uintptr_t function = known != NULL && known->function != 0 ? known->function : lgp_function_start(pc);
    uintptr_t other = frame->function != 0 ? frame->function : lgp_function_start(frame->pc);
    bool same = function != 0 && function == other;
    const struct lge_step *step = thread->steps == NULL ? NULL : find(thread, frame->pc, frame->sp);
    if (same && known == NULL && step != NULL)
        put(thread, (struct lge_step){pc, frame->sp, function, step->to_caller, step->slot});
    return same;
}
