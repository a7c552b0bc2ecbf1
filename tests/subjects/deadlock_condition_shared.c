/* A thread waits for a condition under another lock, and who is to signal it takes that lock
 * after the condition's mutex: whatever mutex that is, and also while a bystander runs.
 *
 * deadlock
 * expect: deadlock actual error
 * thread: HELD outer
 * thread: HELD mutex, WANTED outer
 * case: private
 * case: robust
 * case: shared
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "turns.h"

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, mutex;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void *waits(void *unused) {
    pthread_mutex_lock(&outer); /* HELD outer */
    pthread_mutex_lock(&mutex);
    next_turn();
    pthread_cond_wait(&condition, &mutex);
    return unused;
}

static void *signals(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&mutex); /* HELD mutex */
    pthread_mutex_lock(&outer); /* WANTED outer */
    pthread_cond_signal(&condition);
    return unused;
}

static void *stands_by(void *unused) {
    for (;;)
        usleep(10000);
    return unused;
}

static pthread_t start(void *(*routine)(void *)) {
    pthread_t thread;
    pthread_create(&thread, NULL, routine, NULL);
    return thread;
}

int main(int count, char **words) {
    pthread_mutexattr_t attributes;
    alarm(60);
    pthread_mutexattr_init(&attributes);
    if (count > 1 && strcmp(words[1], "robust") == 0)
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    if (count > 1 && strcmp(words[1], "shared") == 0)
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&mutex, &attributes);
    start(stands_by);
    pthread_t first = start(waits);
    pthread_join(start(signals), NULL);
    pthread_join(first, NULL);
    return 0;
}
