/* What a C program needs of a C++ library that nobody else can see. */
#ifndef SUBJECT_LOCAL_STATIC_H
#define SUBJECT_LOCAL_STATIC_H

#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t seen = PTHREAD_MUTEX_INITIALIZER;
static void *plugin;

static void *call(void *name) {
    int (*function)(void);
    *(void **)&function = dlsym(plugin, name);
    return (void *)(long)function();
}

static void in_two_threads(char *one, char *other) {
    pthread_t threads[2];
    void *results[2];
    pthread_create(&threads[0], NULL, call, one);
    pthread_create(&threads[1], NULL, call, other);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], &results[i]);
    printf("%ld %ld\n", (long)results[0], (long)results[1]);
}

static int load(void) {
    char path[PATH_MAX], here[PATH_MAX] = "";
    if (readlink("/proc/self/exe", here, sizeof here - 1) < 0)
        return 0;
    snprintf(path, sizeof path, "%.4000s/liblocal_static_library.so", dirname(here));
    plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    pthread_mutex_lock(&seen);
    pthread_mutex_unlock(&seen);
    return plugin != NULL;
}

#endif
