/* One thread takes its locks, then hands over through a flag and a condition; the other
 * one comes late, finds the flag set and need not wait.  A mutex is all that passes
 * between the two, which orders nothing: the report says what may keep them apart.
 *
 * case: late
 * expect: order-cycle feasible error
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 * says: signals a condition for which T3 (worker) waits at times
 * says: under queue
 *
 * case: in-time
 * silent
 * near: order-cycle
 * note: order-cycle ordered condition
 */
#include <pthread.h>
#include <string.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t queue = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int jobs, waiting, late;

static void *giver(void *unused) {
    if (!late)
        await_turn(1);
    pthread_mutex_lock(&a); /* HELD a */
    pthread_mutex_lock(&b); /* WANTED b */
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&queue);
        jobs++;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&queue);
        if (i == 0)
            next_turn();
        await_turn(2);
    }
    return unused;
}

static void take_job(void) {
    pthread_mutex_lock(&queue);
    while (jobs == 0) {
        if (waiting++ == 0)
            next_turn();
        pthread_cond_wait(&changed, &queue);
    }
    jobs--;
    pthread_mutex_unlock(&queue);
}

static void *worker(void *unused) {
    pthread_setname_np(pthread_self(), "worker");
    if (late)
        await_turn(1);
    take_job();
    pthread_mutex_lock(&b); /* HELD b */
    pthread_mutex_lock(&a); /* WANTED a */
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    take_job();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    late = argc > 1 && strcmp(argv[1], "late") == 0;
    alarm(60);
    pthread_create(&threads[0], NULL, giver, NULL);
    pthread_create(&threads[1], NULL, worker, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
