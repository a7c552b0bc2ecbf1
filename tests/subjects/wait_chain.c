/* A thousand threads, each waiting for a lock that the next one holds; the last of
 * them works.  No ring: and looking for one must not become the work.
 *
 * silent
 * near: deadlock
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { COUNT = 1000, LONGEST = 15 };
static pthread_mutex_t mutexes[COUNT + 1];
static pthread_barrier_t all_hold;

static void *wait_for_next(void *argument) {
    pthread_mutex_t *own = argument;
    pthread_mutex_lock(own);
    pthread_barrier_wait(&all_hold);
    pthread_mutex_lock(own + 1);
    pthread_mutex_unlock(own + 1);
    pthread_mutex_unlock(own);
    return NULL;
}

int main(void) {
    pthread_t threads[COUNT];
    pthread_barrier_init(&all_hold, NULL, COUNT + 1);
    pthread_mutex_lock(&mutexes[COUNT]);
    for (int i = 0; i < COUNT; i++)
        if (pthread_create(&threads[i], NULL, wait_for_next, &mutexes[i]) != 0)
            return 2;
    time_t begun = time(NULL);
    pthread_barrier_wait(&all_hold);
    sleep(1);
    pthread_mutex_unlock(&mutexes[COUNT]);
    for (int i = 0; i < COUNT; i++)
        pthread_join(threads[i], NULL);
    return time(NULL) - begun > LONGEST;
}
