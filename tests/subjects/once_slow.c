/* A once routine waits for a lock that a third thread keeps for a while, another thread
 * for the routine; then that one takes the lock: nobody waits for what does not come.
 *
 * silent
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t setup_lock = PTHREAD_MUTEX_INITIALIZER, own = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t control = PTHREAD_ONCE_INIT;

static void routine(void) {
    next_turn(); /* 2: it runs */
    pthread_mutex_lock(&setup_lock);
    pthread_mutex_unlock(&setup_lock);
}

static void *runs(void *unused) {
    await_turn(1);
    pthread_once(&control, routine);
    return unused;
}

static void *keeps(void *unused) {
    pthread_mutex_lock(&setup_lock);
    next_turn();
    await_turn(2);
    usleep(300000);
    pthread_mutex_unlock(&setup_lock);
    return unused;
}

int main(void) {
    pthread_t keeper, runner;
    pthread_create(&keeper, NULL, keeps, NULL);
    pthread_create(&runner, NULL, runs, NULL);
    await_turn(2);
    pthread_mutex_lock(&own);
    pthread_once(&control, routine);
    pthread_mutex_lock(&setup_lock);
    pthread_mutex_unlock(&setup_lock);
    pthread_mutex_unlock(&own);
    pthread_join(runner, NULL);
    pthread_join(keeper, NULL);
    return 0;
}
