/* A ring of N threads, each with its own lock and its neighbour's inside.
 *
 * arguments: 3 | 5 | 30
 * expect: order-cycle feasible error
 * edges: $1
 * edge: HELD own -> WANTED next
 */
#include <pthread.h>
#include <stdlib.h>

#include "turns.h"

static pthread_mutex_t locks[30];
static int size;

static void *member(void *argument) {
    int number = (int)(long)argument;
    await_turn(number);
    pthread_mutex_lock(&locks[number]);              /* HELD own */
    pthread_mutex_lock(&locks[(number + 1) % size]); /* WANTED next */
    pthread_mutex_unlock(&locks[(number + 1) % size]);
    pthread_mutex_unlock(&locks[number]);
    next_turn();
    await_turn(size);
    return NULL;
}

int main(int argc, char **argv) {
    size = argc > 1 ? atoi(argv[1]) : 3;
    pthread_t threads[30];
    for (int i = 0; i < size; i++)
        pthread_mutex_init(&locks[i], NULL);
    for (int i = 0; i < size; i++)
        pthread_create(&threads[i], NULL, member, (void *)(long)i);
    for (int i = 0; i < size; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
