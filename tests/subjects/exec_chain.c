/* Replaces itself three times; the last image has the inversion.
 *
 * arguments: 3
 * expect: order-cycle feasible error
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 * processes: 4
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void *first(void *unused) {
    pthread_mutex_lock(&a); /* HELD a */
    pthread_mutex_lock(&b); /* WANTED b */
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&b); /* HELD b */
    pthread_mutex_lock(&a); /* WANTED a */
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    next_turn();
    return unused;
}

static void go_on(char *program, int left) {
    char argument[16];
    snprintf(argument, sizeof argument, "%d", left - 1);
    pthread_mutex_lock(&a); /* evidence of its own before it goes */
    execl(program, program, argument, NULL);
    exit(9);
}

int main(int argc, char **argv) {
    int left = argc > 1 ? atoi(argv[1]) : 0;
    if (left > 0)
        go_on(argv[0], left);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
