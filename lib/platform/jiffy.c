#include "platform/jiffy.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "platform/modules_internal.h"
#include "platform/system.h"

enum { SECOND = 1000000000, TRIES = 4 };

static const uint64_t none[2];
struct lgp_jiffies lgp_jiffies = {.words = none};

static bool says(const uint64_t *words, uint64_t ns) {
    return __atomic_load_n(&words[0], __ATOMIC_RELAXED) == ns / SECOND &&
           __atomic_load_n(&words[1], __ATOMIC_RELAXED) == ns % SECOND;
}

/* Between a clock's answer and the look into the page it may have moved, not each time. */
uint64_t lgp_jiffy_sure(void) {
    const uint64_t *words = __atomic_load_n(&lgp_jiffies.words, __ATOMIC_RELAXED);
    for (int i = 0; i < TRIES && words != none; i++) {
        uint64_t ns = lgp_coarse_ns();
        if (says(words, ns))
            return (ns / SECOND) << 32 | ns % SECOND;
    }
    __atomic_store_n(&lgp_jiffies.words, none, __ATOMIC_RELAXED);
    return 0;
}

static const uint64_t *find(const uint64_t *page) {
    enum { WORDS = 4096 / sizeof(uint64_t) };
    for (int i = 0; i < TRIES; i++) {
        uint64_t ns = lgp_coarse_ns();
        for (size_t at = 0; at + 1 < WORDS; at++)
            if (says(page + at, ns))
                return page + at;
    }
    return none;
}

/* The first page of [vvar] is there on every kernel; of the others some are not. */
void lgp_jiffy_start(void) {
    struct timespec step = {0, 0};
    const uint64_t *page = (const uint64_t *)lgp_maps_kernel_data();
    if (page == NULL || lgp_syscall(SYS_clock_getres, CLOCK_MONOTONIC_COARSE, (long)&step, 0, 0, 0, 0) != 0 ||
        step.tv_sec != 0)
        return;
    lgp_jiffies = (struct lgp_jiffies){find(page), (uint64_t)step.tv_nsec};
}
