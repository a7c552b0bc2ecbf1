/* A thread at each kind of object that can be waited for, for ever (but for an alarm);
 * main holds what has an owner.
 *
 * helper
 */
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

static pthread_rwlock_t catalogue = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER, desk = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t start_line;
static sem_t slots;

static void *read_catalogue(void *unused) {
    pthread_rwlock_rdlock(&catalogue);
    return unused;
}

static void *write_ledger(void *unused) {
    pthread_mutex_lock(&ledger);
    return unused;
}

static void *await_news(void *unused) {
    pthread_mutex_lock(&desk);
    for (;;)
        pthread_cond_wait(&news, &desk);
    return unused;
}

static void *take_slot(void *unused) {
    sem_wait(&slots);
    return unused;
}

static void *line_up(void *unused) {
    pthread_barrier_wait(&start_line);
    return unused;
}

int main(void) {
    void *(*const waiters[])(void *) = {read_catalogue, write_ledger, await_news, take_slot, line_up};
    pthread_t threads[sizeof waiters / sizeof *waiters];
    alarm(60);
    sem_init(&slots, 0, 0);
    pthread_barrier_init(&start_line, NULL, 2);
    pthread_rwlock_wrlock(&catalogue);
    pthread_mutex_lock(&ledger);
    for (size_t i = 0; i < sizeof waiters / sizeof *waiters; i++)
        pthread_create(&threads[i], NULL, waiters[i], NULL);
    for (;;)
        pause();
}
