/* Call stacks by frame pointers: the cheapest way (cheapest of all when the
 * runtime is built with them, too), for programs built with
 * -fno-omit-frame-pointer throughout.  Where a function keeps something else in
 * that register the walk ends early or skips callers, but never faults: it
 * reads only stack pages known to be mapped. */
#include <errno.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "platform/modules.h"
#include "platform/return_slot.h"
#include "platform/safe_read.h"
#include "platform/system.h"
#include "platform/unwind_internal.h"

enum { PAGE = 4096, PROBE_PAGES = 64, FOREIGN_PAGES = 16 };

/* What the frame register points to. */
struct frame_record {
    struct frame_record *caller;
    uintptr_t return_address;
};

/* The part of this thread's own stack found readable; it stays so while the
 * thread lives.  Never set for stacks the program switches to, which it may
 * unmap. */
static _Thread_local struct { uintptr_t low, high; } own_stack __attribute__((tls_model("initial-exec")));

/* The same where the kernel cannot tell of many pages in one call. */
static size_t readable_one_by_one(uintptr_t low, size_t pages) {
    char byte;
    size_t count = 0;
    while (count < pages && lgp_read_safely(&byte, (const void *)(low + count * PAGE), 1))
        count++;
    return count * PAGE;
}

/* How many bytes up from `low`, at most `pages` pages, can be read. */
static size_t readable_up_from(uintptr_t low, size_t pages) {
    char bytes[PROBE_PAGES];
    struct iovec remote[PROBE_PAGES] = {0};
    for (size_t i = 0; i < pages; i++)
        remote[i] = (struct iovec){(void *)(low + i * PAGE), 1};
    long got = lgp_read_pieces(bytes, pages, remote, pages);
    if (got == -ENOSYS)
        return readable_one_by_one(low, pages);
    return got > 0 ? (size_t)got * PAGE : 0;
}

/* True when [low, high) can be read. */
static bool readable(uintptr_t low, uintptr_t high) {
    while (low < high) {
        size_t pages = (high - low + PAGE - 1) / PAGE;
        if (pages > PROBE_PAGES)
            pages = PROBE_PAGES;
        if (readable_up_from(low, pages) < pages * PAGE)
            return false;
        low += pages * PAGE;
    }
    return true;
}

static uintptr_t thread_pointer(void) {
#if defined __x86_64__ /* gcc has the built-in function from version 11 on */
    uintptr_t self;
    __asm__("mov %%fs:0, %0" : "=r"(self));
    return self;
#else
    return (uintptr_t)__builtin_thread_pointer();
#endif
}

/* An address at the upper end of the thread's own stack: glibc puts a thread's
 * control block there, the kernel the start-up data of the main one.  Both are
 * above `sp` unless the program is on a stack of its own making. */
static uintptr_t own_stack_top(uintptr_t sp) {
    uintptr_t control_block = thread_pointer();
    uintptr_t startup_data = getauxval(AT_RANDOM);
    bool is_main = sp < startup_data && (control_block < sp || control_block > startup_data);
    return is_main ? startup_data : control_block;
}

/* Most stacks are shallow; a top further off is taken for another stack's. */
static bool learn_own_stack(uintptr_t sp) {
    enum { FARTHEST = 8 << 20 };
    uintptr_t low = sp & ~(uintptr_t)(PAGE - 1);
    if (own_stack.low != 0 && sp < own_stack.low && own_stack.low - sp < FARTHEST) {
        if (!readable(low, own_stack.low))
            return false;
        own_stack.low = low;
        return true;
    }
    uintptr_t top = own_stack_top(sp);
    if (own_stack.low != 0 || top <= sp || top - sp > FARTHEST || !readable(low, top))
        return false;
    own_stack.low = low;
    own_stack.high = top;
    return true;
}

/* End of what may be read above `sp`. */
static uintptr_t stack_limit(uintptr_t sp) {
    if ((sp >= own_stack.low && sp < own_stack.high) || learn_own_stack(sp))
        return own_stack.high;
    uintptr_t low = sp & ~(uintptr_t)(PAGE - 1);
    return low + readable_up_from(low, FOREIGN_PAGES);
}

static bool usable(const struct frame_record *record, uintptr_t above, uintptr_t limit) {
    uintptr_t address = (uintptr_t)record;
    return address >= above && address % sizeof(uintptr_t) == 0 && limit >= sizeof(*record) &&
           address <= limit - sizeof(*record);
}

/* The stack pointer of the caller at its call.  On aarch64 the record lies at
 * the low end of a frame, so the caller's own record is the nearest known. */
static uintptr_t sp_of_caller(const struct frame_record *record) {
#if defined(__x86_64__)
    return (uintptr_t)(record + 1);
#else
    /* The outermost one has no caller to know it from. */
    return record->caller == NULL ? (uintptr_t)(record + 1) : (uintptr_t)record->caller;
#endif
}

/* Follows the records from `record` on, which is taken for one only when it
 * lies in [above, limit). */
static size_t follow(const struct frame_record *record, uintptr_t above, uintptr_t limit, uintptr_t from_sp,
                     struct lgp_frame *frames, size_t max) {
    size_t count = 0;
    while (count < max && usable(record, above, limit)) {
        uintptr_t sp = sp_of_caller(record);
        /* A register used for something else leads to words that are no code. */
        uintptr_t pc = lgp_plain_address(record->return_address);
        if (!lgp_module_contains(pc))
            break;
        if (sp >= from_sp)
            frames[count++] = (struct lgp_frame){pc, sp, 0};
        above = (uintptr_t)(record + 1);
        record = record->caller;
    }
    return count;
}

/* Over the runtime's own functions, which may keep no frame pointers, by
 * libgcc's tables; from the caller on by frame records. */
static size_t follow_from_caller(uintptr_t limit, uintptr_t from_sp, struct lgp_frame *frames, size_t max) {
    uintptr_t frame_register;
    if (!lgp_frame_register_gcc(from_sp, &frames[0], &frame_register))
        return 0;
    uintptr_t above = frames[0].sp;
    return 1 + follow((const struct frame_record *)frame_register, above, limit, above, frames + 1, max - 1);
}

__attribute__((noinline)) size_t lgp_unwind_fp(uintptr_t from_sp, struct lgp_frame *frames, size_t max) {
    const struct frame_record *record = __builtin_frame_address(0);
    uintptr_t here = (uintptr_t)record;
    uintptr_t limit = stack_limit(here);
    size_t count = follow(record, here, limit, from_sp, frames, max);
    if (max == 0 || from_sp == 0 || (count > 0 && frames[0].sp == from_sp))
        return count;
    return follow_from_caller(limit, from_sp, frames, max);
}

bool lgp_unwind_fp_start(void) {
    struct lgp_frame frame;
    lgp_unwind_fp(0, &frame, 1);
    return true;
}
