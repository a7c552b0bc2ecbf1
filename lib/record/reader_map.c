#include "record/reader_map.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define TOUCHES 1024 /* of 64 KiB each, as Linux reads around */

struct mapping {
    uintptr_t start, end;
    struct mapping *next;
};

static struct mapping *volatile mappings; /* the handler reads it, on the same thread */
static struct sigaction handler_before;
static size_t page_size;

static bool is_mapped(uintptr_t address) {
    for (const struct mapping *one = mappings; one; one = one->next)
        if (address >= one->start && address < one->end)
            return true;
    return false;
}

/* Behind the end of the file by now: a page of zeros takes its place. */
static void on_bus_error(int number, siginfo_t *info, void *context) {
    int error = errno;
    uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)(page_size - 1);
    (void)context;
    bool behind = info->si_code == BUS_ADRERR && is_mapped(page);
    if (!behind || mmap((void *)page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
                       MAP_FAILED) {
        sigaction(SIGBUS, &handler_before, NULL); /* who had it before gets it again */
        if (info->si_code <= 0)
            raise(number); /* it was sent: nothing faults again */
    }
    errno = error;
}

static void guard(void) {
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    page_size = (size_t)sysconf(_SC_PAGESIZE);
    sigaction(SIGBUS, &action, &handler_before);
}

unsigned char *lgr_map(int descriptor, size_t size) {
    struct mapping *mapping = malloc(sizeof *mapping);
    /* Private, which more file systems can; of pages that are not written to it is the same. */
    void *bytes = mapping ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0) : MAP_FAILED;
    if (bytes == MAP_FAILED) {
        free(mapping);
        return NULL;
    }
    if (!mappings)
        guard();
    *mapping = (struct mapping){(uintptr_t)bytes, (uintptr_t)bytes + size, mappings};
    mappings = mapping;
    return bytes;
}

static void forget(uintptr_t start) {
    for (struct mapping *one = mappings, *before = NULL; one; before = one, one = one->next) {
        if (one->start != start)
            continue;
        if (before)
            before->next = one->next;
        else
            mappings = one->next;
        free(one);
        break;
    }
    if (!mappings)
        sigaction(SIGBUS, &handler_before, NULL);
}

void lgr_unmap(unsigned char *bytes, size_t size) {
    munmap(bytes, size);
    forget((uintptr_t)bytes);
}

void lgr_map_touch(unsigned char *bytes, size_t size) {
    static unsigned touches;
    if (++touches % TOUCHES == 0)
        lgr_map_release(bytes, size);
}

void lgr_map_release(unsigned char *bytes, size_t size) { madvise(bytes, size, MADV_DONTNEED); }
