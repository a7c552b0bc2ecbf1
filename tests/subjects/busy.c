/* Never ends by itself (but for an alarm): four threads make new locks, new edges and, again and
 * again, new inversions.  Killed at random moments by the end-to-end tests.
 *
 * helper
 */
#include <pthread.h>
#include <stdlib.h>

#include "turns.h"

enum { LOCKS = 256 };
static pthread_mutex_t *locks;

/* Any two locks, always upwards: edges without end, no inversion. */
static void *work(void *argument) {
    unsigned seed = (unsigned)(long)argument;
    for (;;) {
        unsigned first = (unsigned)rand_r(&seed) % LOCKS, second = (unsigned)rand_r(&seed) % LOCKS;
        if (first == second)
            continue;
        if (first > second) {
            unsigned swap = first;
            first = second;
            second = swap;
        }
        pthread_mutex_lock(&locks[first]);
        pthread_mutex_lock(&locks[second]);
        pthread_mutex_unlock(&locks[second]);
        pthread_mutex_unlock(&locks[first]);
    }
    return NULL;
}

static pthread_mutex_t pair[2][2]; /* each generation of two, taken both ways, never at once */

static void *inverter(void *argument) {
    int side = (int)(long)argument;
    for (int generation = 0;; generation++) {
        await_turn(2 * generation + side);
        pthread_mutex_t *outer = &pair[generation % 2][side], *inner = &pair[generation % 2][1 - side];
        if (side == 0) {
            pthread_mutex_init(outer, NULL);
            pthread_mutex_init(inner, NULL);
        }
        pthread_mutex_lock(outer);
        pthread_mutex_lock(inner);
        pthread_mutex_unlock(inner);
        pthread_mutex_unlock(outer);
        next_turn();
    }
    return NULL;
}

int main(int argc, char **argv) {
    long seed = argc > 1 ? atol(argv[1]) : 1;
    pthread_t thread;
    alarm(60);
    locks = calloc(LOCKS, sizeof *locks);
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&locks[i], NULL);
    for (long i = 0; i < 2; i++) {
        pthread_create(&thread, NULL, work, (void *)(seed + i));
        pthread_create(&thread, NULL, inverter, (void *)i);
    }
    for (;;)
        pause();
}
