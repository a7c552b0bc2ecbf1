#include "platform/unwind_internal.h"

typedef size_t unwind_function(uintptr_t from_sp, struct lgp_frame *frames, size_t max);
typedef uintptr_t start_function(uintptr_t pc);

static size_t unwind_nothing(uintptr_t from_sp, struct lgp_frame *frames, size_t max) {
    (void)from_sp, (void)frames, (void)max;
    return 0;
}

static uintptr_t start_unknown(uintptr_t pc) {
    (void)pc;
    return 0;
}

/* Set by the constructor, before a second thread exists. */
static unwind_function *unwind = unwind_nothing;
static start_function *function_start = start_unknown;

static enum lgp_unwinder use(enum lgp_unwinder unwinder, unwind_function *walk, start_function *start) {
    unwind = walk;
    function_start = start;
    return unwinder;
}

/* Function starts come from libgcc's tables even where stacks do not: its
 * lookup takes no lock. */
enum lgp_unwinder lgp_unwind_start(enum lgp_unwinder wanted) {
    if (wanted == LGP_UNWIND_NONE)
        return use(LGP_UNWIND_NONE, unwind_nothing, start_unknown);
    bool have_gcc = lgp_unwind_gcc_start();
    if (wanted == LGP_UNWIND_LIBUNWIND && lgp_unwind_libunwind_start())
        return use(LGP_UNWIND_LIBUNWIND, lgp_unwind_libunwind,
                   have_gcc ? lgp_function_start_gcc : lgp_function_start_libunwind);
    if (wanted != LGP_UNWIND_FP && have_gcc)
        return use(LGP_UNWIND_GCC, lgp_unwind_gcc, lgp_function_start_gcc);
    if (lgp_unwind_fp_start())
        return use(LGP_UNWIND_FP, lgp_unwind_fp, have_gcc ? lgp_function_start_gcc : start_unknown);
    return use(LGP_UNWIND_NONE, unwind_nothing, start_unknown);
}

/* In tail position: no frame of its own to be walked over. */
size_t lgp_unwind(uintptr_t from_sp, struct lgp_frame *frames, size_t max) {
    return unwind(from_sp, frames, max);
}

uintptr_t lgp_function_start(uintptr_t pc) { return function_start(pc); }
