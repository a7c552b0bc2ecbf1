/* Call stacks by libunwind's cursor, opened privately.  Linked or preloaded, it
 * would take over C++ exceptions; its quick unw_backtrace is not used since its
 * cache outlives dlclose.  It locks, and asks the loader with dl_iterate_phdr:
 * a program that holds a lock its own callback wants can hang here. */
#include "platform/unwind_internal.h"

#if __has_include(<libunwind.h>)

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#define UNW_LOCAL_ONLY
#include <libunwind.h>

/* The symbol behind one of the header's names: "_ULx86_64_step". */
#define QUOTE(name)  #name
#define SYMBOL(name) QUOTE(name)

/* Resolved by the constructor, before a second thread exists. */
static struct {
    int (*get_context)(unw_context_t *);
    int (*init_local)(unw_cursor_t *, unw_context_t *);
    int (*step)(unw_cursor_t *);
    int (*get_reg)(unw_cursor_t *, int, unw_word_t *);
    int (*get_proc_info_by_ip)(unw_addr_space_t, unw_word_t, unw_proc_info_t *, void *);
    int (*set_caching_policy)(unw_addr_space_t, unw_caching_policy_t);
    unw_addr_space_t *local_addr_space;
} libunwind;

/* On x86-64 a function that stores its caller's registers; elsewhere the header
 * does it in place. */
#if defined(__x86_64__)
#define GET_CONTEXT(context) libunwind.get_context(context)
#else
#define GET_CONTEXT(context) unw_getcontext(context)
#endif

static size_t walk(unw_cursor_t *cursor, uintptr_t from_sp, struct lgp_frame *frames, size_t max) {
    size_t count = 0;
    while (count < max) {
        unw_word_t pc, sp;
        if (libunwind.get_reg(cursor, UNW_REG_IP, &pc) < 0 || libunwind.get_reg(cursor, UNW_REG_SP, &sp) < 0)
            break;
        if (pc == 0)
            break;
        if (sp >= from_sp)
            frames[count++] = (struct lgp_frame){pc, sp, 0};
        if (libunwind.step(cursor) <= 0)
            break;
    }
    return count;
}

__attribute__((noinline)) size_t lgp_unwind_libunwind(uintptr_t from_sp, struct lgp_frame *frames,
                                                      size_t max) {
    unw_context_t context;
    unw_cursor_t cursor;
    size_t count = 0;
    int saved_errno = errno;
    if (GET_CONTEXT(&context) == 0 && libunwind.init_local(&cursor, &context) == 0)
        count = walk(&cursor, from_sp, frames, max);
    errno = saved_errno;
    return count;
}

/* A return address may already lie in the next function: step back into the
 * call. */
uintptr_t lgp_function_start_libunwind(uintptr_t pc) {
    unw_proc_info_t info;
    int saved_errno = errno;
    int result = libunwind.get_proc_info_by_ip(*libunwind.local_addr_space, pc - 1, &info, NULL);
    errno = saved_errno;
    return result == 0 ? info.start_ip : 0;
}

static bool resolve(void *library) {
    const struct {
        const char *name;
        void *slot;
    } wanted[] = {
#if defined(__x86_64__)
        {SYMBOL(unw_tdep_getcontext), &libunwind.get_context},
#endif
        {SYMBOL(unw_init_local), &libunwind.init_local},
        {SYMBOL(unw_step), &libunwind.step},
        {SYMBOL(unw_get_reg), &libunwind.get_reg},
        {SYMBOL(unw_get_proc_info_by_ip), &libunwind.get_proc_info_by_ip},
        {SYMBOL(unw_set_caching_policy), &libunwind.set_caching_policy},
        {SYMBOL(unw_local_addr_space), &libunwind.local_addr_space},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        void *symbol = dlsym(library, wanted[i].name);
        if (symbol == NULL)
            return false;
        memcpy(wanted[i].slot, &symbol, sizeof(symbol));
    }
    return true;
}

bool lgp_unwind_libunwind_start(void) {
    struct lgp_frame frames[2];
    void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL || !resolve(library))
        return false;
    libunwind.set_caching_policy(*libunwind.local_addr_space, UNW_CACHE_PER_THREAD);
    return lgp_unwind_libunwind(0, frames, 2) > 0;
}

#else

bool lgp_unwind_libunwind_start(void) { return false; }

size_t lgp_unwind_libunwind(uintptr_t from_sp, struct lgp_frame *frames, size_t max) {
    (void)from_sp, (void)frames, (void)max;
    return 0;
}

uintptr_t lgp_function_start_libunwind(uintptr_t pc) {
    (void)pc;
    return 0;
}

#endif
