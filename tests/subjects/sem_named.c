/* Named semaphores: whoever has no part in making one does not know its value,
 * and says nothing of it; one made exclusively is a lock, whose order counts.
 *
 * arguments: unknown | exclusive | closed
 *
 * case: unknown
 * silent
 *
 * case: exclusive
 * expect: order-cycle feasible error
 *
 * case: closed
 * silent
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "turns.h"

static sem_t *a, *b;

static void nest(sem_t *outer, sem_t *inner) {
    sem_wait(outer);
    sem_wait(inner);
    sem_post(inner);
    sem_post(outer);
}

static void *first(void *unused) {
    nest(a, b);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    nest(b, a);
    next_turn();
    return unused;
}

static sem_t *make(char letter, int flags) {
    char name[64];
    snprintf(name, sizeof name, "/lockgraph-%d-%c", (int)getpid(), letter);
    sem_t *made = sem_open(name, O_CREAT | flags, 0600, 1);
    if (made == SEM_FAILED || sem_open(name, 0) != made)
        abort();
    sem_close(made);
    sem_unlink(name);
    return made;
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "unknown";
    pthread_t threads[2];
    if (strcmp(how, "closed") == 0) {
        a = make('a', O_EXCL);
        sem_wait(a);
        sem_close(a);
    }
    a = make('a', strcmp(how, "exclusive") == 0 ? O_EXCL : 0);
    b = make('b', strcmp(how, "exclusive") == 0 ? O_EXCL : 0);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
