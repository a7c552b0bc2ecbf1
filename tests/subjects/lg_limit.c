/* A lock of one session is held for ever; who asks for it gives up at its limit, with
 * nothing held, and other sessions go on.  Prints of each wait how long it took, and how
 * long the other session was ever kept waiting, in microseconds.

   helper
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lockgraph/lockgraph.h>

enum { LEVEL_OPERATION = 40, WAITERS = 3 };

static lg_group_t session = {"session 17", LG_DEFAULT_TIMEOUT, LG_DEFAULT};
static lg_group_t other_session = {"session 18", LG_DEFAULT_TIMEOUT, LG_DEFAULT};
static lg_mutex_t operation = LG_MUTEX_INITIALIZER("session.operation", LEVEL_OPERATION);
static lg_mutex_t other_operation = LG_MUTEX_INITIALIZER("session.operation", LEVEL_OPERATION);
static pthread_barrier_t held;
static atomic_int over;
static long most_us;

static long now_us(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void expect(int result, int wanted) {
    if (result != wanted) {
        printf("%d, not %d\n", result, wanted);
        exit(1);
    }
}

static void *keep(void *nothing) {
    pthread_setname_np(pthread_self(), "keeper");
    expect(lg_mutex_lock(&operation), 0); /* KEEPS */
    pthread_barrier_wait(&held);
    while (!over)
        usleep(1000);
    expect(lg_mutex_unlock(&operation), 0);
    return nothing;
}

static void *work(void *nothing) {
    while (!over) {
        long begun = now_us();
        expect(lg_mutex_lock(&other_operation), 0);
        expect(lg_mutex_unlock(&other_operation), 0);
        long took = now_us() - begun;
        most_us = took > most_us ? took : most_us;
        usleep(500);
    }
    return nothing;
}

static void *wait_in_vain(void *nothing) {
    long begun = now_us();
    expect(lg_mutex_lock(&operation), ETIMEDOUT);
    printf("waited %ld\n", now_us() - begun);
    expect(lg_may_acquire(LEVEL_OPERATION), 1);
    expect(lg_mutex_lock(&other_operation), 0); /* of the same level: nothing is held */
    expect(lg_mutex_unlock(&other_operation), 0);
    return nothing;
}

int main(int count, char **arguments) {
    pthread_t keeper, worker, waiters[WAITERS];
    if (count > 1)
        lg_default_timeout(atoi(arguments[1]));
    lg_mutex_set_group(&operation, &session);
    lg_mutex_set_group(&other_operation, &other_session);
    pthread_barrier_init(&held, NULL, 2);
    pthread_create(&keeper, NULL, keep, NULL);
    pthread_barrier_wait(&held);
    pthread_create(&worker, NULL, work, NULL);
    for (int i = 0; i < WAITERS; i++)
        pthread_create(&waiters[i], NULL, wait_in_vain, NULL);
    for (int i = 0; i < WAITERS; i++)
        pthread_join(waiters[i], NULL);
    over = 1;
    pthread_join(keeper, NULL);
    pthread_join(worker, NULL);
    printf("others %ld\n", most_us);
    return 0;
}
