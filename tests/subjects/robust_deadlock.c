/* A thread got a robust mutex whose owner died, and waits for a lock that another thread
 * has, which waits for the mutex: before the mutex is made consistent, or afterwards.
 *
 * deadlock
 * expect: deadlock actual error
 * thread: HELD repaired, WANTED plain
 * thread: HELD plain, WANTED repaired
 * case: inconsistent
 * case: consistent
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "turns.h"

static pthread_mutex_t robust, plain = PTHREAD_MUTEX_INITIALIZER;
static int at_once;

static void *dies(void *unused) {
    pthread_mutex_lock(&robust);
    return unused;
}

static void *repairs(void *unused) {
    pthread_mutex_lock(&robust); /* HELD repaired */
    if (at_once)
        pthread_mutex_consistent(&robust);
    next_turn();
    await_turn(2);
    pthread_mutex_lock(&plain); /* WANTED plain */
    return unused;
}

static void *asks(void *unused) {
    pthread_mutex_lock(&plain); /* HELD plain */
    next_turn();
    await_turn(2);
    pthread_mutex_lock(&robust); /* WANTED repaired */
    return unused;
}

static pthread_t start(void *(*routine)(void *)) {
    pthread_t thread;
    pthread_create(&thread, NULL, routine, NULL);
    return thread;
}

int main(int count, char **words) {
    pthread_mutexattr_t attributes;
    at_once = count > 1 && strcmp(words[1], "consistent") == 0;
    alarm(60);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    pthread_join(start(dies), NULL);
    pthread_t first = start(repairs);
    pthread_join(start(asks), NULL);
    pthread_join(first, NULL);
    return 0;
}
