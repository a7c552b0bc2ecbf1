/* While one thread is late in leaving a round (a signal handler keeps it), the
 * other one locks and is at the barrier again already.  What that one did in
 * between is not ordered with what the late one does then; nor when the barrier is
 * one for another process, too, which is the third to come.
 *
 * arguments: alone | shared
 * expect: order-cycle feasible error
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t unrelated = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t *phase;

static void handler(int number) {
    (void)number;
    next_turn();
    await_turn(2);
    usleep(50000); /* the fast one is at the barrier by now */
}

static void in_phase(void) {
    pthread_mutex_lock(&unrelated);
    pthread_mutex_lock(&other);
    pthread_mutex_unlock(&other);
    pthread_mutex_unlock(&unrelated);
}

static void *slow(void *unused) {
    in_phase();
    pthread_barrier_wait(phase);
    pthread_mutex_lock(&b); /* HELD b */
    pthread_mutex_lock(&a); /* WANTED a */
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    pthread_barrier_wait(phase);
    return unused;
}

static void *fast(void *unused) {
    in_phase();
    await_turn(1);
    pthread_barrier_wait(phase);
    pthread_mutex_lock(&a); /* HELD a */
    pthread_mutex_lock(&b); /* WANTED b */
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    next_turn();
    pthread_barrier_wait(phase);
    return unused;
}

static void initialise(int shared) {
    pthread_barrierattr_t attributes;
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, shared);
    phase = mmap(NULL, sizeof *phase, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrier_init(phase, &attributes, shared ? 3 : 2);
}

int main(int count, char **arguments) {
    pthread_t threads[2];
    int shared = count > 1 && strcmp(arguments[1], "shared") == 0;
    alarm(60);
    initialise(shared);
    if (shared && fork() == 0) {
        for (int i = 0; i < 2; i++)
            pthread_barrier_wait(phase);
        return 0;
    }
    signal(SIGUSR1, handler);
    pthread_create(&threads[0], NULL, slow, NULL);
    pthread_create(&threads[1], NULL, fast, NULL);
    usleep(100000); /* the slow one waits */
    pthread_kill(threads[0], SIGUSR1);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    wait(NULL);
    return 0;
}
