/* A condition wait takes its mutex again while another lock stays held: that
 * is the second direction.
 *
 * arguments: timed | signalled
 * expect: order-cycle feasible error
 * edge: HELD queue -> WANTED log
 * edge: HELD log -> WAITS
 */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "turns.h"

static pthread_mutex_t queue = PTHREAD_MUTEX_INITIALIZER, log_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool signalled, ready;

static struct timespec soon(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += 20 * 1000 * 1000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static void *waiter(void *unused) {
    struct timespec at = soon();
    pthread_mutex_lock(&queue);
    pthread_mutex_lock(&log_lock); /* HELD log */
    if (signalled)
        next_turn();
    while (signalled && !__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
        pthread_cond_wait(&changed, &queue); /* WAITS */
    if (!signalled)
        pthread_cond_timedwait(&changed, &queue, &at); /* WAITS */
    pthread_mutex_unlock(&log_lock);
    pthread_mutex_unlock(&queue);
    turn = 2;
    await_turn(3);
    return unused;
}

static void *producer(void *unused) {
    await_turn(2);
    pthread_mutex_lock(&queue);    /* HELD queue */
    pthread_mutex_lock(&log_lock); /* WANTED log */
    pthread_mutex_unlock(&log_lock);
    pthread_mutex_unlock(&queue);
    next_turn();
    return unused;
}

int main(int argc, char **argv) {
    signalled = argc > 1 && strcmp(argv[1], "signalled") == 0;
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, waiter, NULL);
    pthread_create(&threads[1], NULL, producer, NULL);
    if (signalled) {
        await_turn(1);
        usleep(20 * 1000);
        __atomic_store_n(&ready, true, __ATOMIC_RELEASE);
        pthread_cond_signal(&changed);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
