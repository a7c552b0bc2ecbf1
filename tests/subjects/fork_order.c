/* A thread of the parent takes two locks in one order, the child of a fork in the
 * other: that thread does not exist in the child, so the two never meet.
 *
 * silent
 * note: order-cycle ordered
 * processes: 2
 */
#include <pthread.h>
#include <stdlib.h>
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

static void *stays_behind(void *unused) {
    nest(&a, &b);
    next_turn();
    await_turn(2);
    return unused;
}

int main(void) {
    pthread_t thread;
    int status;
    pthread_create(&thread, NULL, stays_behind, NULL);
    await_turn(1);
    pid_t child = fork();
    if (child == 0) {
        nest(&b, &a);
        exit(0);
    }
    waitpid(child, &status, 0);
    next_turn();
    pthread_join(thread, NULL);
    return status != 0;
}
