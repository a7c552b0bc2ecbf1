/* Threads cancelled where POSIX says they can be, and nowhere else: clean-up
 * handlers run, with the mutex held after a condition wait.
 *
 * transcript
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>

#include "turns.h"

static pthread_mutex_t mutex;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static struct timespec far_away;

static void show_and_unlock(void *name) {
    int relock = pthread_mutex_lock(&mutex); /* error-checking: EDEADLK says that it is held */
    printf("%s: clean-up, held %d, unlock %d\n", (const char *)name, relock == EDEADLK,
           pthread_mutex_unlock(&mutex));
}

static void *in_wait(void *name) {
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(show_and_unlock, name);
    next_turn();
    for (;;)
        pthread_cond_wait(&condition, &mutex);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *in_timed_wait(void *name) {
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(show_and_unlock, name);
    next_turn();
    for (;;)
        pthread_cond_timedwait(&condition, &mutex, &far_away);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *in_clock_wait(void *name) {
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(show_and_unlock, name);
    next_turn();
    for (;;)
        pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &far_away);
    pthread_cleanup_pop(0);
    return NULL;
}

static void say(void *name) { printf("%s: clean-up\n", (const char *)name); }

static void *sleeper(void *unused) {
    usleep(200 * 1000);
    return unused;
}

static void *in_join(void *name) {
    pthread_t thread;
    pthread_create(&thread, NULL, sleeper, NULL);
    pthread_cleanup_push(say, name);
    next_turn();
    pthread_join(thread, NULL);
    pthread_cleanup_pop(0);
    return NULL;
}

/* A contended mutex is no cancellation point: the request goes through, the
 * cancellation acts at the test after it. */
static void *in_lock(void *name) {
    pthread_cleanup_push(say, name);
    next_turn();
    int result = pthread_mutex_lock(&mutex);
    printf("%s: lock %d\n", (const char *)name, result);
    pthread_mutex_unlock(&mutex);
    pthread_testcancel();
    printf("%s: not cancelled\n", (const char *)name);
    pthread_cleanup_pop(0);
    return NULL;
}

/* Pending before the call: the wait acts on it at once and takes the mutex back. */
static void *pending(void *name) {
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(show_and_unlock, name);
    pthread_cancel(pthread_self());
    pthread_cond_signal(&condition);
    pthread_cond_broadcast(&condition);
    printf("%s: signal is no cancellation point\n", (const char *)name);
    pthread_cond_timedwait(&condition, &mutex, &far_away);
    printf("%s: not cancelled\n", (const char *)name);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *disabled(void *name) {
    struct timespec past = {1, 0};
    int old;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    pthread_cancel(pthread_self());
    pthread_mutex_lock(&mutex);
    int result = pthread_cond_timedwait(&condition, &mutex, &past);
    pthread_mutex_unlock(&mutex);
    printf("%s: wait %d\n", (const char *)name, result);
    return NULL;
}

static void *asynchronous(void *name) {
    int old;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
    pthread_cleanup_push(say, name);
    next_turn();
    for (;;)
        ;
    pthread_cleanup_pop(0);
    return NULL;
}

/* Starts `body`, cancels it `after` milliseconds after it said it is there. */
static void cancel_in(void *(*body)(void *), const char *name, int after, int hold) {
    pthread_t thread;
    void *value = NULL;
    int cancelled = 0;
    if (hold)
        pthread_mutex_lock(&mutex);
    turn = 0;
    pthread_create(&thread, NULL, body, (void *)name);
    if (after >= 0) {
        await_turn(1);
        usleep((unsigned)after * 1000);
        cancelled = pthread_cancel(thread);
    }
    if (hold) {
        usleep(20 * 1000);
        pthread_mutex_unlock(&mutex);
    }
    int joined = pthread_join(thread, &value);
    printf("%s: cancel %d, join %d, cancelled %d\n", name, cancelled, joined, value == PTHREAD_CANCELED);
    printf("%s: mutex free %d\n", name, pthread_mutex_trylock(&mutex) == 0);
    pthread_mutex_unlock(&mutex);
}

int main(void) {
    pthread_mutexattr_t attributes;
    alarm(60);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16); /* write is a cancellation point */
    clock_gettime(CLOCK_REALTIME, &far_away);
    far_away.tv_sec += 1000;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &attributes);
    cancel_in(in_wait, "wait", 10, 0);
    cancel_in(in_wait, "wait at once", 0, 0);
    cancel_in(in_timed_wait, "timed wait", 10, 0);
    cancel_in(in_clock_wait, "clock wait", 10, 0);
    cancel_in(in_join, "join", 10, 0);
    cancel_in(in_lock, "lock", 10, 1);
    cancel_in(pending, "pending", -1, 0);
    cancel_in(disabled, "disabled", -1, 0);
    cancel_in(asynchronous, "asynchronous", 10, 0);
    usleep(250 * 1000); /* the sleeper that nobody joined */
    return 0;
}
