/* A condition wait must have its mutex back, which its owner keeps while it waits for what the
 * waiter holds.
 *
 * deadlock
 * expect: deadlock actual error
 * threads: 2
 * thread: HELD outer, WAITS
 * thread: HELD mutex, WANTS outer
 */
#include <pthread.h>
#include <stdbool.h>

#include "turns.h"

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool ready;

static void *waiter(void *unused) {
    pthread_mutex_lock(&outer); /* HELD outer */
    pthread_mutex_lock(&mutex);
    next_turn();
    while (!ready)
        pthread_cond_wait(&changed, &mutex); /* WAITS */
    pthread_mutex_unlock(&mutex);
    pthread_mutex_unlock(&outer);
    return unused;
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, waiter, NULL);
    await_turn(1);
    pthread_mutex_lock(&mutex); /* HELD mutex */
    ready = true;
    pthread_cond_signal(&changed);
    pthread_mutex_lock(&outer); /* WANTS outer */
    return 0;
}
