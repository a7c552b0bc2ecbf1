/* A library with a lock of its own comes and goes. */
#include "stress.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static const char *library_path(void) {
    static char path[4096];
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    Dl_info info;
    MUST(pthread_mutex_lock(&lock) == 0);
    if (!path[0]) {
        MUST(dladdr((void *)library_path, &info) != 0);
        const char *slash = info.dli_fname, *last = slash;
        for (; *slash; slash++)
            last = *slash == '/' ? slash : last;
        snprintf(path, sizeof path, "%.*s/libstress_library.so", (int)(last - info.dli_fname),
                 info.dli_fname);
    }
    MUST(pthread_mutex_unlock(&lock) == 0);
    return path;
}

static pthread_mutex_t caller_lock = PTHREAD_MUTEX_INITIALIZER;

static void *call(void *function) {
    int (*work)(int) = 0;
    *(void **)&work = function;
    for (int i = 0; i < 20; i++) {
        MUST(pthread_mutex_lock(&caller_lock) == 0);
        MUST(work(i) == i);
        MUST(pthread_mutex_unlock(&caller_lock) == 0);
    }
    return NULL;
}

void step_library(struct actor *actor) {
    pthread_t thread;
    void *library = dlopen(library_path(), pick(actor, 2) ? RTLD_NOW : RTLD_LAZY);
    MUST(library != NULL);
    void *work = dlsym(library, "stress_library_work");
    MUST(work != NULL);
    MUST(pthread_create(&thread, NULL, call, work) == 0);
    call(work);
    MUST(pthread_join(thread, NULL) == 0);
    MUST(dlclose(library) == 0);
    rest(2000);
}
