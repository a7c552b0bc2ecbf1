/* A million live mutexes under one root, then ten million mutexes that come and
 * go, half of them under the root.  The program fails by itself when its peak
 * grows by more than 64 MiB in the second part, or when all of it takes more
 * than 20 s of processor time (the limit below is for a busy machine).
 *
 * silent
 * long
 * seconds: 100
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "turns.h"

enum { LIVE = 1000 * 1000, ROUNDS = 10 * 1000 * 1000 };
static pthread_mutex_t root = PTHREAD_MUTEX_INITIALIZER;

static long peak_kib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void *idle(void *unused) {
    await_turn(1);
    return unused;
}

static void take_all(pthread_mutex_t *mutexes) {
    pthread_mutex_lock(&root);
    for (int i = 0; i < LIVE; i++) {
        pthread_mutex_init(&mutexes[i], NULL);
        pthread_mutex_lock(&mutexes[i]);
        pthread_mutex_unlock(&mutexes[i]);
    }
    pthread_mutex_unlock(&root);
}

static void come_and_go(int rounds) {
    for (int i = 0; i < rounds; i++) {
        pthread_mutex_t mutex;
        pthread_mutex_init(&mutex, NULL);
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
        pthread_mutex_destroy(&mutex);
    }
}

int main(void) {
    pthread_t second; /* so that glibc's own single-thread shortcuts are off */
    pthread_create(&second, NULL, idle, NULL);
    pthread_mutex_t *mutexes = calloc(LIVE, sizeof *mutexes);
    take_all(mutexes);
    long before = peak_kib();
    come_and_go(ROUNDS / 2);
    pthread_mutex_lock(&root);
    come_and_go(ROUNDS / 2);
    pthread_mutex_unlock(&root);
    long after = peak_kib();
    long seconds = clock() / CLOCKS_PER_SEC;
    printf("peak %ld MiB after a million live mutexes, %ld MiB at the end; %ld s\n", before / 1024,
           after / 1024, seconds);
    next_turn();
    pthread_join(second, NULL);
    free(mutexes);
    if (after - before > 64 * 1024 || before > 1024 * 1024)
        return 3;
    return seconds > 20 ? 4 : 0;
}
