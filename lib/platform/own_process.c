#include "platform/own_process.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "platform/system.h"

/* Written by the only thread of a process, read by all it creates. */
static volatile uint32_t *mark; /* NULL: the kernel wipes no pages */
static uint32_t pid;

/* An emulator (qemu's of user mode) takes any advice and heeds none. */
static bool advise(long page, size_t size) {
    enum { NO_ADVICE = 9999 };
    return lgp_syscall(SYS_madvise, page, (long)size, MADV_WIPEONFORK, 0, 0, 0) == 0 &&
           lgp_is_error(lgp_syscall(SYS_madvise, page, (long)size, NO_ADVICE, 0, 0, 0));
}

/* The kernel rounds the size up to its page. */
static volatile uint32_t *wiped_page(void) {
    const size_t size = sizeof *mark;
    long page =
        lgp_syscall(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (lgp_is_error(page))
        return NULL;
    if (advise(page, size))
        return (volatile uint32_t *)page;
    lgp_syscall(SYS_munmap, page, (long)size, 0, 0, 0, 0);
    return NULL;
}

void lgp_own_process_begin(void) {
    pid = lgp_pid();
    if (mark == NULL)
        mark = wiped_page();
    if (mark != NULL)
        *mark = 1;
}

bool lgp_own_process(void) { return mark != NULL ? *mark != 0 : pid == lgp_pid(); }
