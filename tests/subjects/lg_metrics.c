/* Operations, adaptive limits and the figures of the running process; metrics.py says what must come of it.

   helper
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lockgraph/lockgraph.h>

static lg_mutex_t store = LG_MUTEX_INITIALIZER("store \"a\\b\"\nü", 10);
static lg_mutex_t plain = LG_MUTEX_INITIALIZER("plain", 20);
static pthread_mutex_t unnamed = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t held;
static atomic_int done; /* not waited for: that would be a deadlock */

static unsigned long now_ms(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (unsigned long)at.tv_sec * 1000 + (unsigned long)at.tv_nsec / 1000000;
}

static void *holder(void *lock) {
    lg_mutex_lock(lock);
    pthread_barrier_wait(&held);
    while (!done)
        usleep(1000);
    lg_mutex_unlock(lock);
    return NULL;
}

/* While another thread holds it; in milliseconds. */
static unsigned long try_in_vain(const char *operation, lg_mutex_t *lock) {
    unsigned long since = now_ms();
    int result = -1;
    if (operation == NULL)
        result = lg_mutex_lock(lock);
    else
        LG_OPERATION(operation) result = lg_mutex_lock(lock);
    if (result != ETIMEDOUT)
        printf("result %d instead of ETIMEDOUT\n", result);
    return now_ms() - since;
}

static void adaptive(int before) {
    pthread_t thread;
    lg_default_timeout(1000);
    for (int i = 0; i < before; i++)
        LG_OPERATION("scrape") { LG_WITH(&plain) usleep(500); }
    pthread_create(&thread, NULL, holder, &plain);
    pthread_barrier_wait(&held);
    printf("scrape %lu\n", try_in_vain("scrape", &plain));
    printf("other %lu\n", try_in_vain("other", &plain));
    printf("none %lu\n", try_in_vain(NULL, &plain));
    lg_mutex_set_timeout(&plain, 1200);
    printf("own %lu\n", try_in_vain("scrape", &plain));
    done = 1;
    pthread_join(thread, NULL);
}

static void operations(void) {
    pthread_t thread;
    lg_mutex_set_timeout(&store, 300);
    pthread_create(&thread, NULL, holder, &store);
    pthread_barrier_wait(&held);
    LG_OPERATION("outer") {
        try_in_vain("inner", &store);
        lg_operation("left");
        lg_operation_end();
        try_in_vain(NULL, &store);
    }
    try_in_vain(NULL, &store);
    lg_operation_end(); /* of none */
    printf("empty %d, null %d\n", lg_operation(""), lg_operation(NULL));
    done = 1;
    pthread_join(thread, NULL);
}

static int figures(void) {
    for (int i = 0; i < 7; i++)
        LG_WITH(&store) { LG_WITH(&plain) continue; }
    pthread_mutex_lock(&unnamed);
    pthread_mutex_unlock(&unnamed);
    if (lg_metrics_openmetrics(-1) != EBADF)
        printf("no EBADF\n");
    return lg_metrics_openmetrics(1);
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "";
    setvbuf(stdout, NULL, _IONBF, 0);
    pthread_barrier_init(&held, NULL, 2);
    if (strcmp(what, "adaptive") == 0)
        adaptive(100);
    else if (strcmp(what, "too-few") == 0)
        adaptive(99);
    else if (strcmp(what, "operations") == 0)
        operations();
    else
        return figures();
    return 0;
}
