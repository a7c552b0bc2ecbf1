/* A wait for a condition that ends with a robust mutex that nobody can recover holds
 * nothing: what its thread locks then is not locked under that mutex.
 *
 * silent
 * near: order-cycle
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

static pthread_mutex_t robust, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t end;
static int result;

static void *in_order(void *unused) {
    pthread_mutex_lock(&other);
    pthread_mutex_lock(&robust);
    pthread_mutex_unlock(&robust);
    pthread_mutex_unlock(&other);
    sem_wait(&end);
    return unused;
}

static void *waiter(void *unused) {
    pthread_mutex_lock(&robust);
    result = pthread_cond_wait(&condition, &robust);
    pthread_mutex_lock(&other);
    pthread_mutex_unlock(&other);
    return unused;
}

static void *leaver(void *unused) {
    pthread_mutex_lock(&robust);
    return unused;
}

/* Unlocked without being made consistent. */
static void *spoiler(void *unused) {
    pthread_mutex_lock(&robust);
    pthread_cond_signal(&condition);
    usleep(50000);
    pthread_mutex_unlock(&robust);
    return unused;
}

static void run(void *(*routine)(void *)) {
    pthread_t thread;
    pthread_create(&thread, NULL, routine, NULL);
    pthread_join(thread, NULL);
}

int main(void) {
    pthread_t waits, orders;
    pthread_mutexattr_t attributes;
    sem_init(&end, 0, 0);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    pthread_create(&orders, NULL, in_order, NULL);
    usleep(50000);
    pthread_create(&waits, NULL, waiter, NULL);
    usleep(100000);
    run(leaver);
    run(spoiler);
    pthread_join(waits, NULL);
    sem_post(&end);
    pthread_join(orders, NULL);
    return result == ENOTRECOVERABLE ? 0 : 1;
}
