/* Two files with a lock each, which another process initialised, are mapped one after the
 * other at one address.  The lock of the first is taken before a mutex, that of the second
 * after it.
 *
 * case: mutex
 *     silent
 *     near: order-cycle
 * case: robust
 *     silent
 * case: rwlock
 *     silent
 *     near: order-cycle
 * case: spin
 *     silent
 *     near: order-cycle
 * case: mutex-stays
 *     expect: order-cycle feasible error
 *     edge: LOCK outer -> MUTEX inner
 *     edge: MUTEX outer -> LOCK inner
 * case: rwlock-stays
 *     expect: order-cycle feasible error
 *     edge: LOCK outer -> MUTEX inner
 * case: spin-stays
 *     expect: order-cycle feasible error
 *     edge: LOCK outer -> MUTEX inner
 * case: spin-refused
 *     expect: order-cycle feasible error
 *     edge: LOCK outer -> MUTEX inner
 * case: barrier
 *     silent
 *     near: barrier-misuse
 * case: barrier-stays
 *     expect: barrier-misuse none error
 *     call: AGAIN
 *     earlier: DESTROYED
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "turns.h"

static struct place {
    pthread_mutex_t mutex;
    pthread_rwlock_t rwlock;
    pthread_spinlock_t spin;
    pthread_barrier_t barrier;
} * place;
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static const char *what;
static int files[2];

static int is(const char *word) { return strncmp(what, word, strlen(word)) == 0; }

static void take(void) {
    if (is("rwlock"))
        pthread_rwlock_wrlock(&place->rwlock);
    else if (is("spin"))
        pthread_spin_lock(&place->spin);
    else
        pthread_mutex_lock(&place->mutex);
}

static void give(void) {
    if (is("rwlock"))
        pthread_rwlock_unlock(&place->rwlock);
    else if (is("spin"))
        pthread_spin_unlock(&place->spin);
    else
        pthread_mutex_unlock(&place->mutex);
}

static struct place *map(int file, void *where) {
    void *got = mmap(where, sizeof *place, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (got == MAP_FAILED || (where != NULL && got != where))
        abort();
    return got;
}

static void initialise(void) {
    pthread_mutexattr_t of_mutex;
    pthread_rwlockattr_t of_rwlock;
    pthread_barrierattr_t of_barrier;
    pthread_mutexattr_init(&of_mutex);
    pthread_mutexattr_setpshared(&of_mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&of_mutex, is("robust"));
    pthread_rwlockattr_init(&of_rwlock);
    pthread_rwlockattr_setpshared(&of_rwlock, PTHREAD_PROCESS_SHARED);
    pthread_barrierattr_init(&of_barrier);
    pthread_barrierattr_setpshared(&of_barrier, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&place->mutex, &of_mutex);
    pthread_rwlock_init(&place->rwlock, &of_rwlock);
    pthread_spin_init(&place->spin, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&place->barrier, &of_barrier, 1);
}

/* By another process. */
static void make_files(void) {
    for (int i = 0; i < 2; i++) {
        files[i] = memfd_create("place", 0);
        if (files[i] < 0 || ftruncate(files[i], sizeof *place) != 0)
            abort();
    }
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 2; i++) {
            place = map(files[i], NULL);
            initialise();
        }
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static void change(void) {
    if (strstr(what, "-stays") != NULL)
        return;
    if (strstr(what, "-refused") != NULL) { /* longer than there are addresses: nothing goes */
        if (munmap(place, SIZE_MAX / 2) == 0)
            abort();
        return;
    }
    munmap(place, sizeof *place);
    place = map(files[1], place);
}

static void *first(void *unused) {
    take();                     /* LOCK outer */
    pthread_mutex_lock(&other); /* MUTEX inner */
    pthread_mutex_unlock(&other);
    give();
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    change();
    pthread_mutex_lock(&other); /* MUTEX outer */
    take();                     /* LOCK inner */
    give();
    pthread_mutex_unlock(&other);
    next_turn();
    return unused;
}

/* A barrier of this process's own is destroyed there before. */
static void barriers(void) {
    void *file = place;
    munmap(place, sizeof *place);
    place = mmap(file, sizeof *place, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place != file)
        abort();
    pthread_barrier_init(&place->barrier, NULL, 1);
    pthread_barrier_destroy(&place->barrier); /* DESTROYED */
    change();
    if (strstr(what, "-stays") == NULL)
        pthread_barrier_wait(&place->barrier);
    else
        pthread_barrier_destroy(&place->barrier); /* AGAIN */
}

int main(int count, char **arguments) {
    pthread_t threads[2];
    what = count > 1 ? arguments[1] : "mutex";
    alarm(60);
    make_files();
    place = map(files[0], NULL);
    if (is("barrier")) {
        barriers();
        pthread_mutex_lock(&other);
        pthread_mutex_unlock(&other);
        return 0;
    }
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
