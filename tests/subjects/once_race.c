/* Two once routines ask for each other's control at the same moment, in one child after
 * the other: none may hang without a word.
 *
 * expect: deadlock actual error
 * options: -O on_deadlock=abort
 * seconds: 60
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES = 60, MOST_SPINS = 60 };

static pthread_once_t first = PTHREAD_ONCE_INIT, second = PTHREAD_ONCE_INIT;
static pthread_mutex_t seen = PTHREAD_MUTEX_INITIALIZER;
static atomic_int inside;
static int first_waits, second_waits;

static void spin(int times) {
    for (volatile int i = 0; i < times; i++)
        continue;
}

static void nothing(void) {}

static void first_routine(void) {
    inside = 1;
    while (inside != 2)
        continue;
    spin(first_waits);
    pthread_once(&second, nothing);
}

static void second_routine(void) { pthread_once(&first, nothing); }

static void *run_first(void *unused) {
    pthread_once(&first, first_routine);
    return unused;
}

static void *run_second(void *unused) {
    while (inside != 1)
        continue;
    inside = 2;
    spin(second_waits);
    pthread_once(&second, second_routine);
    return unused;
}

static void meet(void) {
    pthread_t threads[2];
    alarm(10);
    pthread_create(&threads[0], NULL, run_first, NULL);
    pthread_create(&threads[1], NULL, run_second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    _exit(0);
}

int main(void) {
    int silent = 0;
    pthread_mutex_lock(&seen);
    pthread_mutex_unlock(&seen);
    for (int i = 0; i < TRIES; i++) {
        int status;
        first_waits = rand() % MOST_SPINS;
        second_waits = rand() % MOST_SPINS;
        pid_t pid = fork();
        if (pid == 0)
            meet();
        waitpid(pid, &status, 0);
        silent += WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    }
    return silent;
}
