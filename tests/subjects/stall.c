/* Every thread waits for ever, and nobody is left who could end one of the waits.
 *
 * deadlock
 * expect: stall actual error
 * case: condition
 * threads: 3
 * edges: 3
 * line: WAIT first
 * line: JOIN
 * says: all 3 threads wait for ever, signal to a condition, was last signalled, by T1 (main)
 * case: robust
 * threads: 3
 * line: WAIT first
 * line: JOIN
 * case: queue
 * edges: 2
 * line: WAIT queue
 * line: JOIN
 * says: while_empty, 1 for a thread to end
 * case: semaphore
 * threads: 2
 * line: WAIT semaphore
 * line: JOIN
 * says: never_posted, 1 for a post to a semaphore
 * case: barrier
 * threads: 2
 * line: WAIT barrier
 * says: 2 at a barrier, counts more threads than come
 * case: mixed
 * threads: 4
 * line: WAIT first
 * line: WAIT semaphore
 * line: WAIT barrier
 * line: TAKE held
 * says: holding held, held was taken at
 * case: last
 * threads: 1
 * line: WAIT first
 * says: the only thread
 * case: alone
 * threads: 1
 * line: WAIT semaphore
 */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER, while_empty = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t never_posted;
static int queued, taken;

static void *waits_for_signal(void *argument) {
    pthread_mutex_lock(&mutex);
    pthread_cond_wait(&condition, &mutex); /* WAIT first */
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void *waits_for_post(void *argument) {
    sem_wait(&never_posted); /* WAIT semaphore */
    return argument;
}

static void *waits_at_barrier(void *argument) {
    pthread_barrier_wait(&barrier); /* WAIT barrier */
    return argument;
}

static void *waits_holding(void *argument) {
    pthread_mutex_lock(&held); /* TAKE held */
    return waits_for_post(argument);
}

static void *produces(void *argument) {
    for (int i = 0; i < 10; i++) {
        pthread_mutex_lock(&mutex);
        queued++;
        pthread_cond_signal(&while_empty);
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

/* It wants one more than there ever will be. */
static void *consumes(void *argument) {
    pthread_mutex_lock(&mutex);
    for (;; taken++)
        while (queued == taken)
            pthread_cond_wait(&while_empty, &mutex); /* WAIT queue */
    return argument;
}

static void *ends_late(void *argument) {
    usleep(100000);
    return argument;
}

static pthread_t start(void *(*routine)(void *)) {
    pthread_t thread;
    pthread_create(&thread, NULL, routine, NULL);
    return thread;
}

static void join(pthread_t thread) {
    int joined = pthread_join(thread, NULL); /* JOIN */
    (void)joined;
}

static void play_queue(void) {
    pthread_t consumer = start(consumes);
    join(start(produces));
    join(start(produces));
    join(consumer);
}

static void play_mixed(void) {
    start(waits_for_signal);
    start(waits_holding);
    start(waits_at_barrier);
    waits_at_barrier(NULL);
}

static void make_robust(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex, &attributes);
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "";
    sem_init(&never_posted, 0, 0);
    pthread_barrier_init(&barrier, NULL, 3);
    pthread_cond_signal(&condition); /* nobody waits for it yet */
    if (strcmp(what, "robust") == 0)
        make_robust();
    if (strcmp(what, "condition") == 0 || strcmp(what, "robust") == 0) {
        pthread_t first = start(waits_for_signal);
        start(waits_for_signal);
        join(first);
    } else if (strcmp(what, "queue") == 0) {
        play_queue();
    } else if (strcmp(what, "semaphore") == 0) {
        join(start(waits_for_post));
    } else if (strcmp(what, "barrier") == 0) {
        start(waits_at_barrier);
        waits_at_barrier(NULL);
    } else if (strcmp(what, "mixed") == 0) {
        play_mixed();
    } else if (strcmp(what, "last") == 0) {
        pthread_detach(start(ends_late));
        waits_for_signal(NULL);
    } else {
        waits_for_post(NULL);
    }
    return 0;
}
