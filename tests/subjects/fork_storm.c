/* Forks 500 children in any state of the threads, which nest locks, wait and
 * initialise; each child locks again, and every tenth forks once more.  Nothing
 * may hang.  What others held is no more than a note: no child uses it.
 *
 * silent
 * seconds: 20
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "turns.h"

enum { THREADS = 4, CHILDREN = 500, AT_ONCE = 8 };

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER, below = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void *hammer(void *unused) {
    while (turn == 0) {
        pthread_mutex_t fresh;
        pthread_mutex_init(&fresh, NULL);
        pthread_mutex_lock(&outer);
        pthread_rwlock_rdlock(&table);
        pthread_mutex_lock(&inner);
        pthread_mutex_lock(&fresh);
        pthread_mutex_unlock(&fresh);
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&inner);
        pthread_rwlock_unlock(&table);
        pthread_mutex_unlock(&outer);
        pthread_mutex_destroy(&fresh);
    }
    return unused;
}

static void *lock_in_thread(void *unused) {
    pthread_mutex_lock(&own);
    pthread_mutex_lock(&below);
    pthread_mutex_unlock(&below);
    pthread_mutex_unlock(&own);
    return unused;
}

static void child(int number) {
    pthread_t thread;
    alarm(10);
    lock_in_thread(NULL);
    if (number % 10 == 0) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0) {
            lock_in_thread(NULL);
            _exit(0);
        }
        waitpid(pid, &status, 0);
        if (status != 0)
            _exit(1);
    }
    if (number % 5 == 0 && pthread_create(&thread, NULL, lock_in_thread, NULL) == 0)
        pthread_join(thread, NULL);
    _exit(0);
}

int main(void) {
    alarm(60);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, hammer, NULL);
    int wrong = 0, running = 0;
    for (int i = 0; i < CHILDREN + AT_ONCE; i++) {
        int status = 0;
        if (i < CHILDREN && ++running != 0 && fork() == 0)
            child(i);
        if (running > AT_ONCE || i >= CHILDREN)
            wrong += wait(&status) > 0 && --running >= 0 && status != 0;
    }
    next_turn();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return wrong != 0;
}
