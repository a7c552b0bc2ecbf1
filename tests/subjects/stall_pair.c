/* A thread waits for a condition while it holds what everybody else needs who
 * could signal it.
 *
 * deadlock
 * expect: deadlock actual error
 * threads: 2
 * edges: 2
 * edge: TAKE outer -> WAIT for signal
 * line: TAKE outer to signal
 * says: condition ready, release outer before waiting for the condition
 */
#include <pthread.h>

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t begun;

static void *waits(void *argument) {
    pthread_mutex_lock(&outer); /* TAKE outer */
    pthread_barrier_wait(&begun);
    pthread_mutex_lock(&inner);
    pthread_cond_wait(&ready, &inner); /* WAIT for signal */
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    return argument;
}

static void *signals(void *argument) {
    pthread_barrier_wait(&begun);
    pthread_mutex_lock(&outer); /* TAKE outer to signal */
    pthread_mutex_lock(&inner);
    pthread_cond_signal(&ready);
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    return argument;
}

int main(void) {
    pthread_t threads[2];
    pthread_barrier_init(&begun, NULL, 2);
    pthread_create(&threads[0], NULL, waits, NULL);
    pthread_create(&threads[1], NULL, signals, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
