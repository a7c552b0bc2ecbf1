/* Two locks in one order, by threads with names of their own and by the first one.

   helper
 */
#include <pthread.h>
#include <stdio.h>

enum { WORKERS = 3 };

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;

static __attribute__((noinline)) void take_outer(void) { pthread_mutex_lock(&outer); }

static __attribute__((noinline)) int in_order(int count) {
    take_outer();
    pthread_mutex_lock(&inner);
    count++;
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    return count;
}

static void *work(void *number) {
    char name[16];
    snprintf(name, sizeof name, "order_worker-%d", (int)(long)number);
    pthread_setname_np(pthread_self(), name);
    return (void *)(long)in_order(0);
}

int main(void) {
    pthread_t threads[WORKERS];
    for (long i = 0; i < WORKERS; i++) {
        pthread_create(&threads[i], NULL, work, (void *)i);
        pthread_join(threads[i], NULL);
    }
    return in_order(0) != 1;
}
