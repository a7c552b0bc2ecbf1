/* One barrier, 10,000 rounds, the order of the locks changing with each: in every
 * round just one thread locks, the others are a phase behind or ahead.
 *
 * silent
 * note: order-cycle ordered barrier
 * seconds: 20
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { THREADS = 4, ROUNDS = 10000, MOST_KIB = 16 * 1024 };

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t phase;
static int serial[ROUNDS];

static void in_order(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

static void *work(void *argument) {
    int number = (int)(intptr_t)argument;
    for (int i = 0; i < ROUNDS; i++) {
        if (i % THREADS == number && number % 2)
            in_order(&a, &b);
        else if (i % THREADS == number)
            in_order(&b, &a);
        if (pthread_barrier_wait(&phase) == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_add_fetch(&serial[i], 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static long resident_most(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

int main(void) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&phase, NULL, THREADS);
    long before = resident_most();
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < ROUNDS; i++)
        if (serial[i] != 1)
            abort();
    if (resident_most() - before > MOST_KIB) {
        fprintf(stderr, "%ld KiB more than before\n", resident_most() - before);
        abort();
    }
    pthread_barrier_destroy(&phase);
    return 0;
}
