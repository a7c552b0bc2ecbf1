/* One waits at the barrier with the lock that the other needs on its way there;
 * the first thread waits for both to end.
 *
 * deadlock
 * expect: deadlock actual error
 * threads: 2
 * thread: HELD table, WAITS there
 * thread: WANTS table
 * says: waits for a barrier, before waiting at the barrier
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t phase;

static void *holder(void *unused) {
    pthread_mutex_lock(&table); /* HELD table */
    next_turn();
    pthread_barrier_wait(&phase); /* WAITS there */
    pthread_mutex_unlock(&table);
    return unused;
}

static void *comes_later(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&table); /* WANTS table */
    pthread_mutex_unlock(&table);
    pthread_barrier_wait(&phase);
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t threads[2];
    pthread_barrier_init(&phase, NULL, 2);
    pthread_create(&threads[0], NULL, holder, NULL);
    pthread_create(&threads[1], NULL, comes_later, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
