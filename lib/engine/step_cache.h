/* Single steps of unwinding, remembered: from the activation at (pc, stack
 * pointer) to its caller.
 *
 * Many stacks are made of few steps, so a stack never seen as a whole is mostly
 * walked without the unwinder.  A step is believed when the return address it
 * leads to was seen at exactly that stack pointer, too; what it cannot tell
 * apart are two activations of a function with a frame of varying size (alloca)
 * whose stack pointers agree while their callers' do not.  Owner thread only;
 * every slot read lies between the stack pointer and the known top of this
 * stack. */
#ifndef LOCKGRAPH_ENGINE_STEP_CACHE_H
#define LOCKGRAPH_ENGINE_STEP_CACHE_H

#include "engine/thread.h"
#include "platform/unwind.h"

enum { LGE_STEPS = 512 };

struct lge_step {
    uintptr_t pc, sp;
    uintptr_t function; /* start of the function of pc, or 0 */
    uint32_t to_caller; /* distance of the caller's stack pointer; 0: there is no caller */
    uint32_t slot;      /* ... of the return address by which it goes there */
};
struct lge_step_cache {
    struct lge_step steps[LGE_STEPS];
};

/* Like lgp_unwind from the activation at (pc, sp), of which frame 0 is made. */
size_t lge_steps_unwind(struct lge_thread *thread, uintptr_t pc, uintptr_t sp, struct lgp_frame *frames,
                        size_t max);
/* Whether `pc` is in the function of this activation, one of the calling thread's. */
bool lge_step_same_function(struct lge_thread *thread, uintptr_t pc, const struct lgp_frame *frame);

void lge_step_cache_free(struct lge_thread *thread);

#endif
