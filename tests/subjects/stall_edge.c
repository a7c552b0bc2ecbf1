/* Threads that hand over to each other all the time, so that all but one of them
 * wait, and often all of them do who have not run since they were woken.  There
 * is always one that goes on.
 *
 * silent
 * seconds: 120
 * arguments: conditions | broadcasts | unlocked | semaphores | joins | detached | mixed
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

enum { PLAYERS = 6, ROUNDS = 6000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t conditions[PLAYERS], everybody = PTHREAD_COND_INITIALIZER;
static pthread_cond_t over = PTHREAD_COND_INITIALIZER;
static sem_t semaphores[PLAYERS];
static int turn, left, rounds = ROUNDS;

static void start_all(void *(*routine)(void *), pthread_t *threads) {
    for (long i = 0; i < PLAYERS; i++)
        pthread_create(&threads[i], NULL, routine, (void *)i);
}

static void play(void *(*routine)(void *)) {
    pthread_t threads[PLAYERS];
    start_all(routine, threads);
    for (int i = 0; i < PLAYERS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- each has a condition of its own ---- */

static void *by_condition(void *argument) {
    long me = (long)argument;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < rounds; i++) {
        while (turn % PLAYERS != me)
            pthread_cond_wait(&conditions[me], &mutex);
        turn++;
        pthread_cond_signal(&conditions[turn % PLAYERS]);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

/* ---- all have one ---- */

static void *by_broadcast(void *argument) {
    long me = (long)argument;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < rounds / 4; i++) {
        while (turn % PLAYERS != me)
            pthread_cond_wait(&everybody, &mutex);
        turn++;
        pthread_cond_broadcast(&everybody);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

/* ---- the signal comes after the unlock ---- */

static void *by_unlocked_signal(void *argument) {
    long me = (long)argument;
    for (int i = 0; i < rounds; i++) {
        pthread_mutex_lock(&mutex);
        while (turn % PLAYERS != me)
            pthread_cond_wait(i % 2 ? &conditions[me] : &everybody, &mutex);
        int next = ++turn % PLAYERS;
        pthread_mutex_unlock(&mutex);
        pthread_cond_signal(&conditions[next]);
        pthread_cond_broadcast(&everybody);
    }
    return NULL;
}

/* ---- semaphores ---- */

static void *by_semaphore(void *argument) {
    long me = (long)argument;
    for (int i = 0; i < rounds; i++) {
        sem_wait(&semaphores[me]);
        sem_post(&semaphores[(me + 1) % PLAYERS]);
    }
    return NULL;
}

/* ---- threads that come and go ---- */

static void *nothing(void *argument) { return argument; }

static void *joiner(void *argument) {
    for (int i = 0; i < rounds / 20; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, nothing, NULL);
        pthread_join(thread, NULL);
    }
    return argument;
}

/* The last to leave says so, and is gone a moment later. */
static void *leaver(void *argument) {
    pthread_mutex_lock(&mutex);
    if (--left == 0)
        pthread_cond_signal(&over);
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void detach_all(void) {
    pthread_t thread;
    for (int i = 0; i < rounds / 20; i++) {
        pthread_mutex_lock(&mutex);
        for (left = 0; left < 2; left++) {
            pthread_create(&thread, NULL, leaver, NULL);
            pthread_detach(thread);
        }
        while (left != 0)
            pthread_cond_wait(&over, &mutex);
        pthread_mutex_unlock(&mutex);
    }
}

/* ---- a condition one way, a semaphore the other ---- */

static void by_turns(long me) {
    pthread_mutex_lock(&mutex);
    while (turn % PLAYERS != me)
        pthread_cond_wait(&conditions[me], &mutex);
    turn++;
    pthread_mutex_unlock(&mutex);
    sem_post(&semaphores[(me + 1) % PLAYERS]);
}

static void *mixed(void *argument) {
    long me = (long)argument;
    for (int i = 0; i < rounds; i++) {
        if (me % 2 != 0) {
            by_turns(me);
            continue;
        }
        sem_wait(&semaphores[me]);
        pthread_mutex_lock(&mutex);
        turn++;
        pthread_cond_signal(&conditions[(me + 1) % PLAYERS]);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

int main(int count, char **arguments) {
    const char *what = arguments[1];
    if (count > 2)
        rounds = atoi(arguments[2]);
    for (int i = 0; i < PLAYERS; i++) {
        pthread_cond_init(&conditions[i], NULL);
        sem_init(&semaphores[i], 0, i == 0);
    }
    if (strcmp(what, "conditions") == 0)
        play(by_condition);
    else if (strcmp(what, "broadcasts") == 0)
        play(by_broadcast);
    else if (strcmp(what, "unlocked") == 0)
        play(by_unlocked_signal);
    else if (strcmp(what, "semaphores") == 0)
        play(by_semaphore);
    else if (strcmp(what, "joins") == 0)
        play(joiner);
    else if (strcmp(what, "detached") == 0)
        detach_all();
    else
        play(mixed);
    return 0;
}
