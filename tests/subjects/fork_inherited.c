/* What the forking thread holds in memory of its own, its child holds, too: the child asks
 * for another lock under it, and one of its threads later for both the other way round.
 *
 * expect: order-cycle feasible error
 * in child
 * line: WANTS under it
 * arguments: mutex | rdlock | spin | sem
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "turns.h"

#ifndef SHARED
#define SHARED 0
#endif

static struct locks {
    pthread_mutex_t mutex;
    pthread_rwlock_t rwlock;
    pthread_spinlock_t spin;
    sem_t semaphore;
} * locks;
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static const char *kind;

static int is(const char *word) { return strcmp(kind, word) == 0; }

static void take(void) {
    if (is("mutex") || is("robust"))
        pthread_mutex_lock(&locks->mutex);
    else if (is("rwlock") || is("rdlock"))
        pthread_rwlock_wrlock(&locks->rwlock);
    else if (is("spin"))
        pthread_spin_lock(&locks->spin);
    else
        sem_wait(&locks->semaphore);
}

static void give(void) {
    if (is("mutex") || is("robust"))
        pthread_mutex_unlock(&locks->mutex);
    else if (is("rwlock") || is("rdlock"))
        pthread_rwlock_unlock(&locks->rwlock);
    else if (is("spin"))
        pthread_spin_unlock(&locks->spin);
    else
        sem_post(&locks->semaphore);
}

static void initialise(void) {
    pthread_mutexattr_t of_mutex;
    pthread_rwlockattr_t of_rwlock;
    pthread_mutexattr_init(&of_mutex);
    pthread_mutexattr_setpshared(&of_mutex, SHARED);
    pthread_mutexattr_setrobust(&of_mutex, is("robust"));
    pthread_rwlockattr_init(&of_rwlock);
    pthread_rwlockattr_setpshared(&of_rwlock, SHARED);
    locks = mmap(NULL, sizeof *locks, PROT_READ | PROT_WRITE,
                 (SHARED ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
    pthread_mutex_init(&locks->mutex, &of_mutex);
    pthread_rwlock_init(&locks->rwlock, &of_rwlock);
    pthread_spin_init(&locks->spin, SHARED);
    sem_init(&locks->semaphore, SHARED, 1);
}

static void *the_other_way(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&other);
    take();
    give();
    pthread_mutex_unlock(&other);
    return unused;
}

/* What is shared is the parent's, which gives it up for the child to take.  A semaphore is
 * left to the other thread: asked for twice by one it would be a signal. */
static int child(void) {
    pthread_t thread;
    int asks = SHARED && !is("sem");
    alarm(30);
    pthread_create(&thread, NULL, the_other_way, NULL);
    pthread_mutex_lock(&other); /* WANTS under it */
    pthread_mutex_unlock(&other);
    if (asks)
        take();
    if (asks || !SHARED)
        give();
    next_turn();
    pthread_join(thread, NULL);
    return 0;
}

int main(int count, char **arguments) {
    int status;
    kind = count > 1 ? arguments[1] : "mutex";
    alarm(60);
    initialise();
    if (is("rdlock"))
        pthread_rwlock_rdlock(&locks->rwlock);
    else
        take();
    pid_t pid = fork();
    if (pid == 0)
        return child();
    usleep(200000);
    give();
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}
