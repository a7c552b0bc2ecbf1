/* Binary semaphores used as locks, in opposite orders by two live threads.
 *
 * arguments: wait | timed-inner | wrapper
 *
 * case: wait
 * expect: order-cycle feasible error
 * shows: abba of semaphores
 * edge: HELD outer -> WANTED inner
 *
 * case: timed-inner
 * expect: order-cycle timed warning
 *
 * case: wrapper
 * expect: order-cycle feasible error
 */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

#include "turns.h"

static sem_t a, b;
static const char *how;

static __attribute__((noinline)) void take(sem_t *semaphore) {
    sem_wait(semaphore);
    __asm__ volatile("");
}

static void nest(sem_t *outer, sem_t *inner) {
    struct timespec soon = {.tv_sec = time(NULL) + 100};
    if (strcmp(how, "wrapper") == 0) {
        take(outer);
        take(inner);
    } else {
        sem_wait(outer); /* HELD outer */
        if (strcmp(how, "wait") == 0)
            sem_wait(inner); /* WANTED inner */
        else
            sem_timedwait(inner, &soon);
    }
    sem_post(inner);
    sem_post(outer);
}

static void *first(void *unused) {
    nest(&a, &b);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    nest(&b, &a);
    next_turn();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    how = argc > 1 ? argv[1] : "wait";
    sem_init(&a, 0, 1);
    sem_init(&b, 0, 1);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
