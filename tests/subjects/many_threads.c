/* Threads in large numbers: one after the other, or all at once.
 *
 * usage: many_threads churn|crowd COUNT
 *
 * helper
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t all_there;
static long lives;

static void *live(void *crowd) {
    pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
    if (crowd)
        pthread_barrier_wait(&all_there);
    pthread_mutex_lock(&own);
    pthread_mutex_lock(&outer);
    pthread_mutex_lock(&inner);
    lives++;
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    pthread_mutex_unlock(&own);
    pthread_mutex_destroy(&own);
    return NULL;
}

static void begin(pthread_t *thread, void *crowd) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 * 1024);
    if (pthread_create(thread, &small, live, crowd) != 0)
        exit(3);
    pthread_attr_destroy(&small);
}

/* Eight at a time. */
static void churn(int count) {
    pthread_t threads[8];
    for (int done = 0; done < count; done += 8) {
        for (int i = 0; i < 8; i++)
            begin(&threads[i], NULL);
        for (int i = 0; i < 8; i++)
            pthread_join(threads[i], NULL);
    }
}

static void crowd(int count) {
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    pthread_barrier_init(&all_there, NULL, (unsigned)count);
    for (int i = 0; i < count; i++)
        begin(&threads[i], threads);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

int main(int count, char **arguments) {
    if (count != 3)
        return 2;
    (strcmp(arguments[1], "churn") == 0 ? churn : crowd)(atoi(arguments[2]));
    printf("%ld lives\n", lives);
    return lives != atoi(arguments[2]);
}
