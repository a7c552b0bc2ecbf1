/* A process and its forked child take two locks in opposite orders, both alive.  Locks
 * that are process-shared are the same ones for both, whatever was done before the fork
 * and however few threads each has; private ones are not.
 *
 * case: fresh-mutex
 * expect: order-cycle across-runs warning
 * edges: 2
 * edge: HELD outer -> WANTED inner
 *
 * case: main-before-mutex
 * expect: order-cycle across-runs warning
 * edges: 2
 * says: are taken in both orders (across-runs), in 2 processes
 *
 * case: other-before-mutex
 * expect: order-cycle across-runs warning
 * edges: 2
 *
 * case: fresh-rwlock
 * expect: order-cycle across-runs warning
 *
 * case: main-before-rwlock
 * expect: order-cycle across-runs warning
 *
 * case: other-before-rwlock
 * expect: order-cycle across-runs warning
 *
 * case: fresh-semaphore
 * expect: order-cycle across-runs warning
 *
 * case: main-before-semaphore
 * expect: order-cycle across-runs warning
 *
 * case: other-before-semaphore
 * expect: order-cycle across-runs warning
 *
 * case: other-own-gate-mutex
 * expect: order-cycle across-runs warning
 *
 * case: other-gate-mutex
 * silent
 * note: order-cycle gated
 *
 * case: gate-fresh-mutex
 * silent
 * note: order-cycle across-runs was held
 *
 * case: fresh-private
 * silent
 *
 * case: main-before-private
 * silent
 * note: order-cycle single-thread
 *
 * case: other-before-private
 * silent
 * note: order-cycle ordered
 *
 * case: main-before-robust
 * silent
 * note: order-cycle single-thread
 *
 * case: other-before-robust
 * silent
 * note: order-cycle ordered
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

union lock {
    pthread_mutex_t mutex;
    pthread_rwlock_t rwlock;
    sem_t semaphore;
};

static struct shared {
    union lock first, second, gate;
    atomic_int turn;
} * shared;
static union lock *first, *second, *gate; /* perhaps of this process alone */
static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
static const char *when, *kind;

static int is(const char *what, const char *word) { return strncmp(what, word, strlen(word)) == 0; }

static void await(int turn) {
    while (shared->turn != turn)
        usleep(1000);
}

static pthread_mutexattr_t mutex_attributes(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if (is(kind, "robust"))
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    else if (is(kind, "mutex"))
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    return attributes;
}

static pthread_rwlockattr_t rwlock_attributes(void) {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    return attributes;
}

/* A call for each: where they are initialised tells them apart. */
static void initialise(void) {
    pthread_mutexattr_t mutex = mutex_attributes();
    pthread_rwlockattr_t rwlock = rwlock_attributes();
    if (is(kind, "rwlock")) {
        pthread_rwlock_init(&first->rwlock, &rwlock);
        pthread_rwlock_init(&second->rwlock, &rwlock);
        pthread_rwlock_init(&gate->rwlock, &rwlock);
    } else if (is(kind, "semaphore")) {
        sem_init(&first->semaphore, 1, 1);
        sem_init(&second->semaphore, 1, 1);
        sem_init(&gate->semaphore, 1, 1);
    } else {
        pthread_mutex_init(&first->mutex, &mutex);
        pthread_mutex_init(&second->mutex, &mutex);
        pthread_mutex_init(&gate->mutex, &mutex);
    }
}

static void give(union lock *lock) {
    if (is(kind, "rwlock"))
        pthread_rwlock_unlock(&lock->rwlock);
    else if (is(kind, "semaphore"))
        sem_post(&lock->semaphore);
    else
        pthread_mutex_unlock(&lock->mutex);
}

static void nest(union lock *outer, union lock *inner) {
    if (is(kind, "rwlock")) {
        pthread_rwlock_wrlock(&outer->rwlock);
        pthread_rwlock_wrlock(&inner->rwlock);
    } else if (is(kind, "semaphore")) {
        sem_wait(&outer->semaphore);
        sem_wait(&inner->semaphore);
    } else {
        pthread_mutex_lock(&outer->mutex); /* HELD outer */
        pthread_mutex_lock(&inner->mutex); /* WANTED inner */
    }
    give(inner);
    give(outer);
}

static void nest_gated(union lock *outer, union lock *inner) {
    pthread_mutex_t *around = is(when, "other-own-gate")                   ? &own
                              : is(when, "other-gate") || is(when, "gate") ? &gate->mutex
                                                                           : NULL;
    if (around != NULL)
        pthread_mutex_lock(around);
    nest(outer, inner);
    if (around != NULL)
        pthread_mutex_unlock(around);
}

static void *other(void *unused) {
    nest_gated(first, second);
    shared->turn = 1;
    await(2);
    nest_gated(first, second);
    shared->turn = 3;
    return unused;
}

static void child(void) {
    await(3);
    nest_gated(second, first);
    exit(0);
}

int main(int argc, char **argv) {
    when = argc > 1 ? argv[1] : "fresh-mutex";
    kind = strrchr(when, '-') + 1;
    int by_other = is(when, "other"), early = !is(when, "fresh") && !is(when, "gate-fresh");
    pthread_t thread;
    alarm(60);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct shared *mine = is(kind, "private") || is(kind, "robust") ? calloc(1, sizeof *mine) : shared;
    first = &mine->first;
    second = &mine->second;
    gate = &mine->gate;
    initialise();
    if (by_other) {
        pthread_create(&thread, NULL, other, NULL);
        await(1);
    } else if (early) {
        nest_gated(first, second);
    }
    pid_t pid = fork();
    if (pid == 0)
        child();
    if (by_other) {
        shared->turn = 2;
        pthread_join(thread, NULL);
    } else {
        nest_gated(first, second);
        shared->turn = 3;
    }
    int status;
    waitpid(pid, &status, 0);
    if (mine != shared)
        free(mine);
    return status != 0;
}
