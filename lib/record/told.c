#include "record/told.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "platform/system.h"

static struct lgr_told nobody;
/* Written by lgr_told_open. */
static struct lgr_told *told = &nobody;

/* Everything before the last slash. */
static bool split(const char *option, char path[LGR_TOLD_TEXT], uint64_t *key) {
    size_t length = strnlen(option, LGR_TOLD_TEXT), cut = length;
    while (cut > 0 && option[cut] != '/')
        cut--;
    if (length == LGR_TOLD_TEXT || cut == 0)
        return false;
    memcpy(path, option, cut);
    path[cut] = '\0';
    *key = 0;
    for (const char *at = option + cut + 1; *at != '\0'; at++) {
        if ((*at < '0' || *at > '9') && (*at < 'a' || *at > 'f'))
            return false;
        *key = *key << 4 | (uint64_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
    }
    return true;
}

static struct lgr_told *map(long descriptor, uint64_t key) {
    if (lgp_syscall(SYS_fcntl, descriptor, F_GET_SEALS, 0, 0, 0, 0) != LGR_TOLD_SEALS)
        return NULL;
    long memory = lgp_syscall(SYS_mmap, 0, LGR_TOLD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if ((unsigned long)memory >= (unsigned long)-4095) /* an error number */
        return NULL;
    struct lgr_told *page = (struct lgr_told *)memory;
    if (page->key == key)
        return page;
    lgp_syscall(SYS_munmap, memory, LGR_TOLD_SIZE, 0, 0, 0, 0);
    return NULL;
}

void lgr_told_open(const char *option) {
    char path[LGR_TOLD_TEXT];
    uint64_t key;
    if (*option != '/' || !split(option, path, &key))
        return;
    long descriptor =
        lgp_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0, 0, 0);
    if (descriptor < 0)
        return;
    struct lgr_told *page = map(descriptor, key);
    lgp_syscall(SYS_close, descriptor, 0, 0, 0, 0, 0);
    if (page != NULL)
        told = page;
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
