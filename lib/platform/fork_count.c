#include "platform/fork_count.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "platform/system.h"

/* Written once, before there is a second thread; what it points to: relaxed. */
static _Atomic uint32_t *count;

void lgp_fork_count_start(void) {
    if (count != NULL)
        return;
    long page =
        lgp_syscall(SYS_mmap, 0, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    count = page < 0 && page > -4096 ? NULL : (_Atomic uint32_t *)page;
}

bool lgp_fork_count_next(uint32_t *number) {
    if (count == NULL)
        return false;
    *number = atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
    return true;
}
