/* The second direction is taken only by a thread that a condition woke after
 * the first one was over.
 *
 * silent
 * note: order-cycle ordered
 */
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t state = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool waiting, done;

static void *first(void *unused) {
    for (bool there = false; !there; usleep(1000)) {
        pthread_mutex_lock(&state);
        there = waiting;
        pthread_mutex_unlock(&state);
    }
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    pthread_mutex_lock(&state);
    done = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&state);
    return unused;
}

static void *second(void *unused) {
    pthread_mutex_lock(&state);
    waiting = true;
    while (!done)
        pthread_cond_wait(&changed, &state);
    pthread_mutex_unlock(&state);
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return unused;
}

int main(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
