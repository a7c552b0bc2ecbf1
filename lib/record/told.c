#include "record/told.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "platform/system.h"

static struct lgr_told nobody;
/* Written by lgr_told_open. */
static struct lgr_told *told = &nobody;

void lgr_told_open(const char *path) {
    if (*path != '/')
        return;
    long descriptor = lgp_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CLOEXEC, 0, 0, 0);
    if (descriptor < 0)
        return;
    long memory = lgp_syscall(SYS_mmap, 0, LGR_TOLD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    lgp_syscall(SYS_close, descriptor, 0, 0, 0, 0, 0);
    if (memory > 0 || memory < -4095)
        told = (struct lgr_told *)memory;
}

void lgr_told_loaded(void) { atomic_fetch_add_explicit(&told->loaded, 1, memory_order_relaxed); }

void lgr_told_unrecorded(void) { atomic_fetch_add_explicit(&told->unrecorded, 1, memory_order_relaxed); }

void lgr_told_unwritten(uint32_t severity) {
    uint32_t worst = atomic_load_explicit(&told->worst, memory_order_relaxed);
    while (worst < severity &&
           !atomic_compare_exchange_weak_explicit(&told->worst, &worst, severity, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
    atomic_fetch_add_explicit(&told->unwritten, 1, memory_order_relaxed);
}
