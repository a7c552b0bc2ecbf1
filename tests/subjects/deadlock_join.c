/* The main thread joins, under a lock, a thread that needs that lock.
 *
 * deadlock
 * expect: deadlock actual error
 * threads: 2
 * thread: WANTS lock
 * thread: HELD lock, JOINS
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *worker(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&mutex); /* WANTS lock */
    pthread_mutex_unlock(&mutex);
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t thread;
    pthread_create(&thread, NULL, worker, NULL);
    pthread_mutex_lock(&mutex); /* HELD lock */
    next_turn();
    pthread_join(thread, NULL); /* JOINS */
    pthread_mutex_unlock(&mutex);
    return 0;
}
