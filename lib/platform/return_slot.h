/* Where on the stack a return address stands: what the caches of stacks read
 * again to know that an activation still has the caller it had. */
#ifndef LOCKGRAPH_PLATFORM_RETURN_SLOT_H
#define LOCKGRAPH_PLATFORM_RETURN_SLOT_H

#include <stdint.h>

#include "platform/unwind.h"

/* Without what pointer authentication put into its upper bits. */
static inline uintptr_t lgp_plain_address(uintptr_t address) {
#if defined(__aarch64__)
    register uintptr_t x30 __asm__("x30") = address;
    __asm__("hint #7" : "+r"(x30)); /* xpaclri; nothing on processors without it */
    return x30;
#else
    return address;
#endif
}

/* The return address in `slot`, which the caller knows to be mapped. */
static inline uintptr_t lgp_return_address_in(uintptr_t slot) {
    return lgp_plain_address(*(const volatile uintptr_t *)slot);
}

/* The slot of the return address by which the function of `callee` goes back to
 * `caller`, two neighbours of one unwinding; 0: there is none that is certain.  It lies in the frame between
 * the two stack pointers, which is read, and is the same whenever the function calls from that place with
 * that stack pointer: just below the caller's on x86-64, wherever the compiler put
 * the frame record on aarch64. */
uintptr_t lgp_return_slot(const struct lgp_frame *callee, const struct lgp_frame *caller);

#endif
