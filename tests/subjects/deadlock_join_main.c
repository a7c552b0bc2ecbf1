/* The main thread, too, can be joined by one that holds what it needs.
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
static pthread_t first;

static void *joiner(void *unused) {
    pthread_mutex_lock(&mutex); /* HELD lock */
    next_turn();
    pthread_join(first, NULL); /* JOINS */
    return unused;
}

int main(void) {
    pthread_t thread;
    first = pthread_self();
    pthread_create(&thread, NULL, joiner, NULL);
    await_turn(1);
    pthread_mutex_lock(&mutex); /* WANTS lock */
    return 0;
}
