/* Opposite orders, a process-shared barrier between them.
 *
 * Only this process comes to it: the first phase is over for all before the second begins.
 * case: one-process
 *     silent
 *     near: order-cycle
 *     note: order-cycle ordered barrier
 *     processes: 1
 *
 * So it is in a child that was forked before.
 * case: one-child
 *     silent
 *     near: order-cycle
 *     note: order-cycle ordered barrier
 *     processes: 2
 *
 * With another process: who comes second was not in the first one's round.
 * case: two-processes
 *     expect: order-cycle feasible error
 *     edge: AFTER the barrier -> WANTS b
 *     edge: BEFORE the barrier -> WANTS a
 *     processes: 2
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t *phase;

static void a_then_b(void) {
    pthread_mutex_lock(&a); /* AFTER the barrier */
    pthread_mutex_lock(&b); /* WANTS b */
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
}

static void b_then_a(void) {
    pthread_mutex_lock(&b); /* BEFORE the barrier */
    pthread_mutex_lock(&a); /* WANTS a */
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
}

static void *second_phase(void *unused) {
    pthread_barrier_wait(phase);
    a_then_b();
    next_turn();
    return unused;
}

static void *first_phase(void *apart) {
    if (apart != NULL)
        await_turn(1);
    b_then_a();
    pthread_barrier_wait(phase);
    return NULL;
}

static void two_threads(void *apart) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, first_phase, apart);
    pthread_create(&threads[1], NULL, second_phase, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static int child(const char *how) {
    if (strcmp(how, "one-child") == 0)
        two_threads(NULL);
    else
        for (int i = 0; i < 2; i++)
            pthread_barrier_wait(phase);
    return 0;
}

int main(int count, char **arguments) {
    const char *how = count > 1 ? arguments[1] : "one-process";
    int status = 0;
    pid_t pid = 0;
    pthread_barrierattr_t attributes;
    alarm(60);
    phase = mmap(NULL, sizeof *phase, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(phase, &attributes, 2);
    if (strcmp(how, "one-process") != 0 && (pid = fork()) == 0)
        return child(how);
    if (strcmp(how, "one-child") != 0)
        two_threads(strcmp(how, "two-processes") == 0 ? arguments : NULL);
    if (pid != 0)
        waitpid(pid, &status, 0);
    pthread_barrier_destroy(phase);
    return status == 0 ? 0 : 1;
}
