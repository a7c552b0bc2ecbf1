#include "record/saved_order.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "platform/system.h"

enum { LARGEST = 1 << 30 };

const char *lgr_saved_order_path(const char *option) {
    size_t length = sizeof LGR_SAVED_ORDER - 1;
    return strncmp(option, LGR_SAVED_ORDER, length) == 0 ? option + length : NULL;
}

/* 0: not to be read. */
static uint64_t size_of(long descriptor) {
    struct stat status;
    if (lgp_syscall(SYS_fstat, descriptor, (long)&status, 0, 0, 0, 0) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size > LARGEST)
        return 0;
    return (uint64_t)status.st_size;
}

static bool read_all(long descriptor, char *at, uint64_t size) {
    while (size > 0) {
        long got = lgp_syscall(SYS_read, descriptor, (long)at, (long)size, 0, 0, 0);
        if (got == -EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        size -= (uint64_t)got;
    }
    return true;
}

static void *copy(long descriptor, uint64_t size) {
    long memory =
        lgp_syscall(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (size == 0 || lgp_is_error(memory))
        return NULL;
    if (read_all(descriptor, (char *)memory, size) &&
        lgp_syscall(SYS_mprotect, memory, (long)size, PROT_READ, 0, 0, 0) == 0)
        return (void *)memory;
    lgp_syscall(SYS_munmap, memory, (long)size, 0, 0, 0, 0);
    return NULL;
}

const void *lgr_saved_order_load(const char *path, uint64_t *size) {
    long descriptor = lgp_open_to_read(path, O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0)
        return NULL;
    *size = size_of(descriptor);
    const void *memory = copy(descriptor, *size);
    lgp_close(descriptor);
    return memory;
}
