#include "record/told.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "platform/system.h"
#include "record/handed_over.h"

static struct lgr_told nobody;
/* Written by lgr_told_open. */
static struct lgr_told *told = &nobody;

void lgr_told_open(const char *option) {
    uint64_t key;
    long descriptor = lgr_handed_open(option, O_RDWR, LGR_TOLD_SEALS, &key);
    if (descriptor < 0)
        return;
    struct lgr_told *page = lgr_handed_map(descriptor, LGR_TOLD_SIZE, PROT_READ | PROT_WRITE);
    lgp_close(descriptor);
    if (page != NULL && page->key == key)
        told = page;
    else if (page != NULL)
        lgp_syscall(SYS_munmap, (long)page, LGR_TOLD_SIZE, 0, 0, 0, 0);
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
