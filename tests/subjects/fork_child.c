/* The child of a fork does the inversion, between threads of its own, with a
 * lock of the parent's; another thread of the parent holds locks meanwhile.
 *
 * expect: order-cycle feasible error
 * shows: a forked child's inversion
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 * processes: 2
 * in child
 */
#include <pthread.h>
#include <sys/wait.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t outside = PTHREAD_MUTEX_INITIALIZER, within = PTHREAD_MUTEX_INITIALIZER;

static void *first(void *unused) {
    pthread_mutex_lock(&a); /* HELD a */
    pthread_mutex_lock(&b); /* WANTED b */
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&b); /* HELD b */
    pthread_mutex_lock(&a); /* WANTED a */
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    next_turn();
    return unused;
}

static int child(void) {
    pthread_t threads[2];
    turn = 0;
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 5;
}

static void *holder(void *unused) {
    pthread_mutex_lock(&outside);
    pthread_mutex_lock(&within);
    next_turn();
    await_turn(2);
    pthread_mutex_unlock(&within);
    pthread_mutex_unlock(&outside);
    return unused;
}

int main(void) {
    pthread_t thread;
    int status = 0;
    pthread_mutex_lock(&a); /* known to the parent already */
    pthread_mutex_unlock(&a);
    pthread_create(&thread, NULL, holder, NULL);
    await_turn(1);
    pid_t pid = fork();
    if (pid == 0)
        return child();
    waitpid(pid, &status, 0);
    next_turn();
    pthread_join(thread, NULL);
    return WIFEXITED(status) && WEXITSTATUS(status) == 5 ? 0 : 1;
}
