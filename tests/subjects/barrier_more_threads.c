/* More threads than the barrier counts: who meets whom is up to the scheduler,
 * and so a meeting orders nothing, even of those who met.  A signal handler
 * keeps the third one inside while the other two meet.
 *
 * expect: order-cycle feasible error
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 */
#include <pthread.h>
#include <signal.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t meeting;

static void handler(int number) {
    (void)number;
    next_turn();
    await_turn(3);
}

static void *kept(void *unused) {
    pthread_barrier_wait(&meeting);
    return unused;
}

static void *first(void *unused) {
    await_turn(1);
    pthread_barrier_wait(&meeting); /* with the one that is kept */
    pthread_mutex_lock(&a);         /* HELD a */
    pthread_mutex_lock(&b);         /* WANTED b */
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    next_turn();
    pthread_barrier_wait(&meeting); /* with the second */
    return unused;
}

static void *second(void *unused) {
    await_turn(2);
    pthread_barrier_wait(&meeting);
    pthread_mutex_lock(&b); /* HELD b */
    pthread_mutex_lock(&a); /* WANTED a */
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[3];
    signal(SIGUSR1, handler);
    pthread_barrier_init(&meeting, NULL, 2);
    pthread_create(&threads[0], NULL, kept, NULL);
    pthread_create(&threads[1], NULL, first, NULL);
    pthread_create(&threads[2], NULL, second, NULL);
    usleep(100000); /* the first of them waits */
    pthread_kill(threads[0], SIGUSR1);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
