/* One inversion added to a program that is there as a binary only.  To be preloaded; INVERSION names two locks,
 * the inner one first, as an order file would know them:
 *
 *     variable:MODULE:+0xOFFSET          a static lock of that file
 *     init:MODULE:+0xOFFSET              a mutex that a call initialises which returns there
 *
 * The outer one is taken under the inner one once: as soon as both are known where one is initialised, else when the program
 * ends.  Nothing happens in a process that has no such module. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FRAMES = 8, PATIENCE_S = 2 };

static struct wanted {
    char kind[16], module[256];
    unsigned long offset;
    uintptr_t place; /* 0: it is not here */
    pthread_mutex_t *lock;
} wanted[2];
static int done;

static int find_module(struct dl_phdr_info *info, size_t size, void *argument) {
    struct wanted *one = argument;
    const char *slash = strrchr(info->dlpi_name, '/'), *name = slash ? slash + 1 : info->dlpi_name;
    (void)size;
    if (strcmp(*name ? name : program_invocation_short_name, one->module) != 0)
        return 0;
    one->place = info->dlpi_addr + one->offset;
    return 1;
}

static void take(pthread_mutex_t *lock) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += PATIENCE_S;
    if (pthread_mutex_timedlock(lock, &at) != 0)
        fprintf(stderr, "inversion: a lock is not to be had\n");
}

static void invert(void) {
    if (done || !wanted[0].lock || !wanted[1].lock)
        return;
    done = 1;
    take(wanted[0].lock);
    take(wanted[1].lock);
    pthread_mutex_unlock(wanted[1].lock);
    pthread_mutex_unlock(wanted[0].lock);
    fprintf(stderr, "inversion: done\n");
}

__attribute__((constructor)) static void look(void) {
    const char *text = getenv("INVERSION");
    if (!text || sscanf(text, "%15[^:]:%255[^:]:+%lx %15[^:]:%255[^:]:+%lx", wanted[0].kind, wanted[0].module, &wanted[0].offset,
                        wanted[1].kind, wanted[1].module, &wanted[1].offset) != 6)
        return;
    for (int i = 0; i < 2; i++) {
        dl_iterate_phdr(find_module, &wanted[i]);
        if (wanted[i].place && strcmp(wanted[i].kind, "variable") == 0)
            wanted[i].lock = (pthread_mutex_t *)wanted[i].place;
    }
}

static void made(pthread_mutex_t *lock) {
    void *frames[FRAMES];
    int count = backtrace(frames, FRAMES);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < count && wanted[i].place && strcmp(wanted[i].kind, "init") == 0; k++)
            if ((uintptr_t)frames[k] == wanted[i].place && !wanted[i].lock) {
                wanted[i].lock = lock;
                return;
            }
}

/* Seen where the runtime passes the call on; what is inverted goes through the runtime again. */
int pthread_mutex_init(pthread_mutex_t *lock, const pthread_mutexattr_t *attributes) {
    static int (*real)(pthread_mutex_t *, const pthread_mutexattr_t *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_init");
    int result = real(lock, attributes);
    if (result == 0 && !done && (wanted[0].place || wanted[1].place))
        made(lock);
    return result;
}

/* After the call that made a lock came back. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (strcmp(wanted[0].kind, wanted[1].kind) != 0 || strcmp(wanted[0].kind, "init") == 0)
        invert();
    return real(thread, attributes, start, argument);
}

__attribute__((destructor)) static void at_end(void) { invert(); }
