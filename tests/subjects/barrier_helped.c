/* One waits at the barrier with the lock that another needs on its way there.
 * It looks like a deadlock for a second; then a third thread comes, once out of a
 * sleep and once out of a lock call with a time limit.
 *
 * silent
 * near: deadlock
 */
#include <pthread.h>
#include <time.h>

#include "turns.h"

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER, elsewhere = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t phase;

static void *holder(void *unused) {
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&table);
        next_turn();
        pthread_barrier_wait(&phase);
        pthread_mutex_unlock(&table);
        await_turn(3 * i + 3);
    }
    return unused;
}

static void *comes_later(void *unused) {
    for (int i = 0; i < 2; i++) {
        await_turn(3 * i + 1);
        pthread_mutex_lock(&table);
        pthread_mutex_unlock(&table);
        next_turn();
    }
    return unused;
}

static void wait_elsewhere(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec++;
    pthread_mutex_timedlock(&elsewhere, &at);
}

static void *helper(void *unused) {
    await_turn(1);
    usleep(1000000);
    pthread_barrier_wait(&phase);
    next_turn();
    await_turn(4);
    wait_elsewhere();
    pthread_barrier_wait(&phase);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[3];
    pthread_barrier_init(&phase, NULL, 2);
    pthread_mutex_lock(&elsewhere);
    pthread_create(&threads[0], NULL, holder, NULL);
    pthread_create(&threads[1], NULL, comes_later, NULL);
    pthread_create(&threads[2], NULL, helper, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_unlock(&elsewhere);
    return 0;
}
