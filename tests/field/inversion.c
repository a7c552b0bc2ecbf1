/* One inversion added to a program that is there as a binary only.  To be preloaded; INVERSION names two
 * locks, the inner one first, as an order file would know them:
 *
 *     variable:MODULE:+0xOFFSET          a static lock of that file
 *     variable:-:NAME                    one that the dynamic linker knows by name
 *     init:MODULE:+0xOFFSET              a mutex that a call initialises which returns there
 *
 * The outer one is taken under the inner one once: as soon as both are known where one is initialised, else
 * when the program ends.  Nothing happens in a process that has no such module. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES = 8, PATIENCE_S = 2, PAIRS = 8 };

static struct wanted {
    char kind[16], module[256], what[256];
    uintptr_t place; /* 0: it is not here */
    pthread_mutex_t *lock;
} pairs[PAIRS][2];
static int count, done;

/* As evidence calls the program: by its file, which a link may name otherwise. */
static const char *program(void) {
    static char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

static int find_module(struct dl_phdr_info *info, size_t size, void *argument) {
    struct wanted *one = argument;
    const char *slash = strrchr(info->dlpi_name, '/'), *name = slash ? slash + 1 : info->dlpi_name;
    (void)size;
    if (strcmp(*name ? name : program(), one->module) != 0)
        return 0;
    one->place = info->dlpi_addr + strtoul(one->what + 1, NULL, 16);
    return 1;
}

/* A program may hold one for as long as it runs. */
static int is_free(pthread_mutex_t *lock) {
    return lock && pthread_mutex_trylock(lock) == 0 && pthread_mutex_unlock(lock) == 0;
}

static int take(pthread_mutex_t *lock) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += PATIENCE_S;
    return pthread_mutex_timedlock(lock, &at) == 0;
}

static int invert(struct wanted *pair) {
    if (!is_free(pair[0].lock) || !is_free(pair[1].lock) || !take(pair[0].lock))
        return 0;
    int taken = take(pair[1].lock);
    if (taken)
        pthread_mutex_unlock(pair[1].lock);
    pthread_mutex_unlock(pair[0].lock);
    return taken;
}

static void invert_one(void) {
    for (int i = 0; i < count && !done; i++)
        if ((done = invert(pairs[i])))
            fprintf(stderr, "inversion: done\n");
}

static void find(struct wanted *one) {
    if (one->what[0] != '+')
        one->lock = dlsym(RTLD_DEFAULT, one->what);
    else
        dl_iterate_phdr(find_module, one);
    if (one->place && strcmp(one->kind, "variable") == 0)
        one->lock = (pthread_mutex_t *)one->place;
}

__attribute__((constructor)) static void look(void) {
    const char *text = getenv("INVERSION");
    for (; text && count < PAIRS; count++) {
        struct wanted *pair = pairs[count];
        if (sscanf(text, "%15[^:]:%255[^:]:%255[^; ] %15[^:]:%255[^:]:%255[^; ]", pair[0].kind,
                   pair[0].module, pair[0].what, pair[1].kind, pair[1].module, pair[1].what) != 6)
            break;
        find(&pair[0]);
        find(&pair[1]);
        text = strchr(text, ';') ? strchr(text, ';') + 1 : NULL;
    }
}

static void made_here(struct wanted *one, pthread_mutex_t *lock, void **frames, int depth) {
    for (int i = 0; i < depth && one->place && !one->lock; i++)
        if ((uintptr_t)frames[i] == one->place)
            one->lock = lock;
}

static void made(pthread_mutex_t *lock) {
    void *frames[FRAMES];
    int depth = backtrace(frames, FRAMES);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < 2; k++)
            made_here(&pairs[i][k], lock, frames, depth);
}

/* Seen where the runtime passes the call on; what is inverted goes through the runtime again. */
int pthread_mutex_init(pthread_mutex_t *lock, const pthread_mutexattr_t *attributes) {
    static int (*real)(pthread_mutex_t *, const pthread_mutexattr_t *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_init");
    int result = real(lock, attributes);
    if (result == 0 && !done && count)
        made(lock);
    return result;
}

/* After the call that made a lock came back. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument) {
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    invert_one();
    return real(thread, attributes, start, argument);
}

__attribute__((destructor)) static void at_end(void) { invert_one(); }
