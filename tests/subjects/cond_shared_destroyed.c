/* A process-shared condition is destroyed right after another process woke all who wait
 * for it, before they are there again: as POSIX has it.  One that is private has no other
 * process to wake them.
 *
 * case: shared
 * silent
 * near: cond-destroy-waited
 *
 * case: private
 * expect: cond-destroy-waited none error
 * call: DESTROYS it
 * earlier: WAITS here
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAITERS = 3 };

static struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    int waiters, is_done;
    atomic_int woken;
} * shared;

static void *waiter(void *unused) {
    pthread_mutex_lock(&shared->mutex);
    shared->waiters++;
    while (!shared->is_done)
        pthread_cond_wait(&shared->done, &shared->mutex); /* WAITS here */
    pthread_mutex_unlock(&shared->mutex);
    return unused;
}

static void initialise(int condition_sharing) {
    pthread_mutexattr_t mutex_attributes;
    pthread_mutexattr_init(&mutex_attributes);
    pthread_mutexattr_setpshared(&mutex_attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->mutex, &mutex_attributes);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setpshared(&attributes, condition_sharing);
    pthread_cond_init(&shared->done, &attributes);
}

/* Returns with the mutex. */
static void await_waiters(void) {
    pthread_mutex_lock(&shared->mutex);
    while (shared->waiters != WAITERS) {
        pthread_mutex_unlock(&shared->mutex);
        usleep(1000);
        pthread_mutex_lock(&shared->mutex);
    }
    shared->is_done = 1;
}

/* Who was woken stays behind the mutex. */
static void wake_from_child(void) {
    await_waiters();
    pthread_cond_broadcast(&shared->done);
    shared->woken = 1;
    usleep(100 * 1000);
    pthread_mutex_unlock(&shared->mutex);
}

static void *late_wake(void *unused) {
    usleep(50 * 1000);
    pthread_cond_broadcast(&shared->done);
    return unused;
}

int main(int argc, char **argv) {
    int is_private = argc > 1 && strcmp(argv[1], "private") == 0;
    pthread_t threads[WAITERS], other;
    alarm(60);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    initialise(is_private ? PTHREAD_PROCESS_PRIVATE : PTHREAD_PROCESS_SHARED);
    pid_t child = is_private ? -1 : fork();
    if (child == 0) {
        wake_from_child();
        _exit(0);
    }
    for (int i = 0; i < WAITERS; i++)
        pthread_create(&threads[i], NULL, waiter, NULL);
    if (is_private) {
        await_waiters();
        pthread_mutex_unlock(&shared->mutex);
        pthread_create(&other, NULL, late_wake, NULL);
    }
    while (!is_private && !shared->woken)
        usleep(1000);
    pthread_cond_destroy(&shared->done); /* DESTROYS it */
    for (int i = 0; i < WAITERS; i++)
        pthread_join(threads[i], NULL);
    if (is_private)
        pthread_join(other, NULL);
    else
        waitpid(child, NULL, 0);
    return 0;
}
