/* A barrier and a spinlock between two processes: both do what they do.
 *
 * silent
 * processes: 2
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 500 };

static struct shared {
    pthread_barrier_t phase;
    pthread_spinlock_t spin;
    long sum, serials;
} * shared;

static void *meet(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_spin_lock(&shared->spin);
        shared->sum++;
        pthread_spin_unlock(&shared->spin);
        int result = pthread_barrier_wait(&shared->phase);
        if (result != 0 && result != PTHREAD_BARRIER_SERIAL_THREAD)
            abort();
        if (result == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_add_fetch(&shared->serials, 1, __ATOMIC_RELAXED);
        pthread_barrier_wait(&shared->phase);
        if (shared->sum != 4 * (i + 1) || shared->serials != i + 1)
            abort();
        pthread_barrier_wait(&shared->phase);
    }
    return unused;
}

static void two_threads(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, meet, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

int main(void) {
    int status;
    pthread_barrierattr_t attributes;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->phase, &attributes, 4);
    pthread_spin_init(&shared->spin, PTHREAD_PROCESS_SHARED);
    pid_t pid = fork();
    two_threads();
    if (pid == 0)
        return 0;
    if (waitpid(pid, &status, 0) != pid || status != 0)
        abort();
    pthread_barrier_destroy(&shared->phase);
    pthread_spin_destroy(&shared->spin);
    return 0;
}
