/* Call stacks of the calling thread, as raw addresses. */
#ifndef LOCKGRAPH_PLATFORM_UNWIND_H
#define LOCKGRAPH_PLATFORM_UNWIND_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One activation, innermost first. */
struct lgp_frame {
    uintptr_t pc;       /* return address into the function: the place it will go on at */
    uintptr_t sp;       /* stack pointer of the function at that call, i.e. the callee's CFA */
    uintptr_t function; /* start of the function, 0 when not known: gcc fills it in
                         * at no cost, otherwise ask lgp_function_start */
};

enum lgp_unwinder { LGP_UNWIND_GCC, LGP_UNWIND_FP, LGP_UNWIND_LIBUNWIND, LGP_UNWIND_NONE };

/* Loads the unwinder (libgcc_s or libunwind by dlopen with RTLD_LOCAL) and
 * warms it up; from the constructor only.  Falls back libunwind -> gcc -> fp
 * and says in the result what is in use. */
enum lgp_unwinder lgp_unwind_start(enum lgp_unwinder wanted);

/* Fills `frames` with the activations whose sp is at or above `from_sp`: with
 * from_sp = the CFA of an interposed function (the stack pointer of its caller
 * at the call), frame 0 is that caller, its pc the return address.  Returns
 * the count, 0 when nothing could be unwound.  Never allocates, never takes
 * the loader's lock (gcc and fp; libunwind may, which is why it is not the
 * default).  Async-signal-safe with gcc on glibc >= 2.35 and with fp. */
size_t lgp_unwind(uintptr_t from_sp, struct lgp_frame *frames, size_t max);

/* Before glibc 2.35 libgcc asks dl_iterate_phdr for every frame, which takes the
 * loader's lock: a thread may hold it that waits for a lock of the program, and in
 * a forked child nobody may be left to give it back.  Called from the interposed
 * dl_iterate_phdr: when this thread unwinds for us and libgcc asks, the answer is
 * *result; false otherwise. */
typedef int lgp_object_callback(struct dl_phdr_info *, size_t, void *);
bool lgp_unwind_iterate(lgp_object_callback *callback, void *data, int *result);

/* Start address of the function that contains `pc`, 0 when not known. */
uintptr_t lgp_function_start(uintptr_t pc);

#endif
