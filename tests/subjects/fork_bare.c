/* _Fork runs no handlers, and its child may do what a signal handler may: here post
 * a semaphore, while other threads of the parent keep the runtime busy.
 *
 * silent
 * seconds: 60
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "newer_libc.h"

enum { CHILDREN = 400 };

static _Atomic bool stop;

/* A new semaphore each time: each is made known. */
static void *keep_busy(void *unused) {
    while (!atomic_load(&stop)) {
        sem_t fresh;
        sem_init(&fresh, 0, 1);
        sem_wait(&fresh);
        sem_post(&fresh);
        sem_destroy(&fresh);
    }
    return unused;
}

static bool child_ends_well(sem_t *shared) {
    int status = 1;
    pid_t pid = _Fork();
    if (pid == 0) {
        alarm(10);
        sem_post(shared);
        _exit(0);
    }
    return waitpid(pid, &status, 0) == pid && status == 0 && sem_wait(shared) == 0;
}

int main(void) {
    pthread_t threads[2];
    sem_t *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sem_init(shared, 1, 0);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, keep_busy, NULL);
    int good = 0;
    while (good < CHILDREN && child_ends_well(shared))
        good++;
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return good == CHILDREN ? 0 : 1;
}
