/* A mutex in shared memory is locked by a process of another container, whose thread
 * has the same number as one of ours.  That process is played by a child, and its
 * number is written into the mutex for it.
 *
 * silent
 * near: deadlock, self-deadlock
 * case: alone
 * case: ring
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "turns.h"

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static struct {
    pthread_mutex_t mutex;
    atomic_int locked;
} * shared;

static void share(void) {
    pthread_mutexattr_t attributes;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared->mutex, &attributes);
}

static void other_container(void) {
    if (fork() != 0)
        return;
    pthread_mutex_lock(&shared->mutex);
    shared->locked = 1;
    usleep(1200000);
    pthread_mutex_unlock(&shared->mutex);
    _exit(0);
}

static void await_lock(void) {
    while (!shared->locked)
        usleep(1000);
}

/* As the other process would have left it. */
static void name_me(void) { shared->mutex.__data.__owner = (int)syscall(SYS_gettid); }

static void take_shared(void) {
    pthread_mutex_lock(&shared->mutex);
    pthread_mutex_unlock(&shared->mutex);
}

static void *has_the_number(void *unused) {
    name_me();
    next_turn();
    await_turn(2);
    pthread_mutex_lock(&plain);
    pthread_mutex_unlock(&plain);
    return unused;
}

static void *asks(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&plain);
    next_turn();
    take_shared();
    pthread_mutex_unlock(&plain);
    return unused;
}

static void play_ring(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, has_the_number, NULL);
    pthread_create(&threads[1], NULL, asks, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

int main(int count, char **words) {
    alarm(60);
    share();
    other_container();
    await_lock();
    if (count > 1 && strcmp(words[1], "alone") == 0) {
        name_me();
        take_shared();
    } else {
        play_ring();
    }
    wait(NULL);
    return 0;
}
