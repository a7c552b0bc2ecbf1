/* The three ways of unwinding behind platform/unwind.h. */
#ifndef LOCKGRAPH_PLATFORM_UNWIND_INTERNAL_H
#define LOCKGRAPH_PLATFORM_UNWIND_INTERNAL_H

#include "platform/unwind.h"

/* Each `start` loads what it needs and unwinds once to warm it up; false when
 * the library is not there.  Constructor only. */
bool lgp_unwind_gcc_start(void);
bool lgp_unwind_fp_start(void);
bool lgp_unwind_libunwind_start(void);

/* As lgp_unwind.  gcc fills in `function`, which costs it nothing; the others
 * leave it 0. */
size_t lgp_unwind_gcc(uintptr_t from_sp, struct lgp_frame *frames, size_t max);
size_t lgp_unwind_fp(uintptr_t from_sp, struct lgp_frame *frames, size_t max);
size_t lgp_unwind_libunwind(uintptr_t from_sp, struct lgp_frame *frames, size_t max);

/* The first frame at or above from_sp and the frame register's value in it. */
bool lgp_frame_register_gcc(uintptr_t from_sp, struct lgp_frame *frame, uintptr_t *frame_register);

uintptr_t lgp_function_start_gcc(uintptr_t pc);
uintptr_t lgp_function_start_libunwind(uintptr_t pc);

#endif
