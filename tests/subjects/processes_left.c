/* Each of two processes with two threads takes two locks in another order, and leaves
 * without a word of its figures: that there was a second thread is known all the same.
 *
 * expect: order-cycle across-runs warning
 * edges: 2
 */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

static void *a_first(void *unused) {
    nest(&a, &b);
    next_turn();
    pause(); /* a thread that ends would write figures */
    return unused;
}

static void *b_first(void *unused) {
    nest(&b, &a);
    next_turn();
    pause();
    return unused;
}

static void in_child(void *(*body)(void *)) {
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, body, NULL);
        await_turn(1);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

int main(void) {
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    in_child(a_first);
    in_child(b_first);
    return 0;
}
