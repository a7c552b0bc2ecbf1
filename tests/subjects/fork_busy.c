/* Forks again and again while other threads lock, wait and start threads; each
 * child locks, starts a thread and ends.  Nothing may hang.
 *
 * silent
 * seconds: 20
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "turns.h"

static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER, own = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void *nothing(void *unused) { return unused; }

static void start_and_join(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) == 0)
        pthread_join(thread, NULL);
}

static void *hammer(void *unused) {
    unsigned round = 0;
    while (turn == 0) {
        pthread_mutex_t fresh;
        pthread_mutex_init(&fresh, NULL);
        pthread_mutex_lock(&shared);
        pthread_mutex_lock(&fresh);
        pthread_mutex_unlock(&fresh);
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&shared);
        pthread_mutex_destroy(&fresh);
        if (++round % 64 == 0)
            start_and_join();
    }
    return unused;
}

static void child(void) {
    pthread_mutex_lock(&own);
    start_and_join();
    pthread_mutex_unlock(&own);
    _exit(0);
}

int main(void) {
    alarm(60);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, hammer, NULL);
    int wrong = 0;
    for (int i = 0; i < 60; i++) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0)
            child();
        waitpid(pid, &status, 0);
        wrong += status != 0;
    }
    next_turn();
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return wrong != 0;
}
