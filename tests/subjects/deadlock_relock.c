/* A thread locks a normal mutex twice.
 *
 * deadlock
 * expect: self-deadlock actual error
 * threads: 1
 * thread: HELD first, WANTS again
 */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t mutex;

__attribute__((noinline)) static void add_interest(void) {
    pthread_mutex_lock(&mutex); /* WANTS again */
    pthread_mutex_unlock(&mutex);
}

__attribute__((noinline)) static void add(void) {
    pthread_mutex_lock(&mutex); /* HELD first */
    add_interest();
    pthread_mutex_unlock(&mutex);
}

static void *worker(void *unused) {
    add();
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t thread;
    pthread_mutex_init(&mutex, NULL);
    pthread_create(&thread, NULL, worker, NULL);
    pthread_join(thread, NULL);
    return 0;
}
