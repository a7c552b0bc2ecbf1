/* Two libraries made alike, one loaded where the other one was before: what the first
 * did has its lines, and what the second does has its own.
 *
 * case: two-threads
 * expect: order-cycle feasible error
 * edge: HELD in the first -> WANTED in the first
 * edge: HELD in the second -> WANTED in the second
 *
 * case: one-stack
 * expect: order-cycle feasible error
 * edge: HELD in the second -> WANTED in the second
 * edge: HELD in the program -> WANTED in the program
 *
 * case: again
 * expect: order-cycle feasible error
 * edge: HELD in the first -> WANTED in the first
 * edge: HELD in the second -> WANTED in the second
 */
#include <pthread.h>

#if defined PART && PART == 1
void work(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer); /* HELD in the first */
    pthread_mutex_lock(inner); /* WANTED in the first */
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}
#elif defined PART
void work(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer); /* HELD in the second */
    pthread_mutex_lock(inner); /* WANTED in the second */
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}
#else
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;
static const char *what;

/* Loads, calls and unloads the library of that number. */
static void in_library(int number, pthread_mutex_t *outer, pthread_mutex_t *inner) {
    char path[4096];
    void (*work)(pthread_mutex_t *, pthread_mutex_t *);
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length < 0 ? 0 : length] = '\0';
    snprintf(strrchr(path, '/'), 64, "/libdl_reused_%d.so", number);
    void *library = dlopen(path, RTLD_NOW);
    if (library == NULL)
        exit(3);
    *(void **)&work = dlsym(library, "work");
    work(outer, inner);
    dlclose(library);
}

static void in_program(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer); /* HELD in the program */
    pthread_mutex_lock(inner); /* WANTED in the program */
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

static void *first(void *unused) {
    if (strcmp(what, "one-stack") == 0)
        in_program(&a, &b);
    else
        in_library(1, &a, &b);
    next_turn();
    await_turn(2);
    return unused;
}

/* In the same thread at the same depth of its stack. */
static void *second(void *unused) {
    await_turn(1);
    for (int i = 0; strcmp(what, "again") == 0 && i < 20; i++) {
        in_library(2, &a, &c);
        in_library(1, &a, &c);
    }
    if (strcmp(what, "one-stack") == 0)
        in_library(1, &b, &c);
    in_library(2, &b, &a);
    next_turn();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    what = argc > 1 ? argv[1] : "";
    alarm(60);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
#endif
