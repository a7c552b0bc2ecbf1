/* A lock is held for longer than lock_timeout, and another thread waits for it: told
 * once, and the wait ends as if nobody had looked, its result and errno included.
 *
 * options: -O lock_timeout=100ms
 * expect: wait-timeout none warning
 * earlier thread: holder
 * threads: 2
 *
 * case: mutex
 *     call: WAITS FOR MUTEX
 *     earlier: HOLDS MUTEX
 *     lock: mutex_lock
 *     says: waits too long for mutex_lock, lock_timeout (100 ms), was waited for at, was taken at
 * case: recursive
 *     call: WAITS FOR RECURSIVE
 *     earlier: HOLDS RECURSIVE
 * case: errorcheck
 *     call: WAITS FOR ERRORCHECK
 *     earlier: HOLDS ERRORCHECK
 * case: inherit
 *     call: WAITS FOR INHERIT
 *     earlier: HOLDS INHERIT
 * case: robust
 *     call: WAITS FOR ROBUST
 *     earlier: HOLDS ROBUST
 * case: c11
 *     call: WAITS FOR MTX
 *     earlier: HOLDS MTX
 * case: timedlock
 *     call: GIVES UP
 *     earlier: HOLDS TIMED
 * case: reader
 *     call: READER WAITS
 *     earlier: WRITER HOLDS
 * case: writer
 *     call: WRITER WAITS
 *     earlier: READER HOLDS
 * case: preferred-writer
 *     call: PREFERRED WRITER WAITS
 *     earlier: OTHER READER HOLDS
 * case: semaphore
 *     call: WAITS FOR SEMAPHORE
 *     earlier: HOLDS SEMAPHORE
 * case: semaphore-timed
 *     call: GIVES UP SEMAPHORE
 *     earlier: HOLDS TIMED SEMAPHORE
 * case: pool
 *     call: WAITS FOR SLOT
 *     earlier: HOLDS SLOTS
 * case: spin
 *     call: SPINS
 *     earlier: HOLDS SPINLOCK
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>

#include "turns.h"

enum { HELD_MS = 1500, PATIENCE_MS = 600, OWN_ERRNO = 4321 };

static pthread_mutex_t mutex_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t errorcheck = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_mutex_t inherit, robust;
static mtx_t c11;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t preferred = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static sem_t semaphore, slots;
static pthread_spinlock_t spinlock;

static void must(int good) {
    if (!good)
        abort();
}

static void hold(void) {
    next_turn();
    usleep(HELD_MS * 1000);
}

static struct timespec in_a_while(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += PATIENCE_MS * 1000000L;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

/* ---- who holds, and who waits ---- */

static void mutex_holder(void) {
    pthread_mutex_lock(&mutex_lock); /* HOLDS MUTEX */
    hold();
    pthread_mutex_unlock(&mutex_lock);
}
static void mutex_waiter(void) {
    must(pthread_mutex_lock(&mutex_lock) == 0); /* WAITS FOR MUTEX */
    pthread_mutex_unlock(&mutex_lock);
}

static void recursive_holder(void) {
    pthread_mutex_lock(&recursive); /* HOLDS RECURSIVE */
    hold();
    pthread_mutex_unlock(&recursive);
}
static void recursive_waiter(void) {
    must(pthread_mutex_lock(&recursive) == 0); /* WAITS FOR RECURSIVE */
    pthread_mutex_unlock(&recursive);
}

static void errorcheck_holder(void) {
    pthread_mutex_lock(&errorcheck); /* HOLDS ERRORCHECK */
    hold();
    pthread_mutex_unlock(&errorcheck);
}
static void errorcheck_waiter(void) {
    must(pthread_mutex_lock(&errorcheck) == 0); /* WAITS FOR ERRORCHECK */
    pthread_mutex_unlock(&errorcheck);
}

static void inherit_holder(void) {
    pthread_mutex_lock(&inherit); /* HOLDS INHERIT */
    hold();
    pthread_mutex_unlock(&inherit);
}
static void inherit_waiter(void) {
    must(pthread_mutex_lock(&inherit) == 0); /* WAITS FOR INHERIT */
    pthread_mutex_unlock(&inherit);
}

/* Its owner died, and it is made consistent at the end only. */
static void *dies(void *unused) {
    pthread_mutex_lock(&robust);
    return unused;
}
static void robust_holder(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, dies, NULL);
    pthread_join(thread, NULL);
    must(pthread_mutex_lock(&robust) == EOWNERDEAD); /* HOLDS ROBUST */
    hold();
    pthread_mutex_consistent(&robust);
    pthread_mutex_unlock(&robust);
}
static void robust_waiter(void) {
    must(pthread_mutex_lock(&robust) == 0); /* WAITS FOR ROBUST */
    pthread_mutex_unlock(&robust);
}

static void c11_holder(void) {
    mtx_lock(&c11); /* HOLDS MTX */
    hold();
    mtx_unlock(&c11);
}
static void c11_waiter(void) {
    must(mtx_lock(&c11) == thrd_success); /* WAITS FOR MTX */
    mtx_unlock(&c11);
}

static void timedlock_holder(void) {
    pthread_mutex_lock(&mutex_lock); /* HOLDS TIMED */
    hold();
    pthread_mutex_unlock(&mutex_lock);
}
static void timedlock_waiter(void) {
    struct timespec at = in_a_while();
    must(pthread_mutex_timedlock(&mutex_lock, &at) == ETIMEDOUT); /* GIVES UP */
}

static void reader_holder(void) {
    pthread_rwlock_wrlock(&rwlock); /* WRITER HOLDS */
    hold();
    pthread_rwlock_unlock(&rwlock);
}
static void reader_waiter(void) {
    must(pthread_rwlock_rdlock(&rwlock) == 0); /* READER WAITS */
    pthread_rwlock_unlock(&rwlock);
}

static void writer_holder(void) {
    pthread_rwlock_rdlock(&rwlock); /* READER HOLDS */
    hold();
    pthread_rwlock_unlock(&rwlock);
}
static void writer_waiter(void) {
    must(pthread_rwlock_wrlock(&rwlock) == 0); /* WRITER WAITS */
    pthread_rwlock_unlock(&rwlock);
}

static void preferred_writer_holder(void) {
    pthread_rwlock_rdlock(&preferred); /* OTHER READER HOLDS */
    hold();
    pthread_rwlock_unlock(&preferred);
}
static void preferred_writer_waiter(void) {
    must(pthread_rwlock_wrlock(&preferred) == 0); /* PREFERRED WRITER WAITS */
    pthread_rwlock_unlock(&preferred);
}

/* Its holders were seen to post it, so that it is a lock. */
static void prove(sem_t *lock) {
    for (int i = 0; i < 20; i++) {
        sem_wait(lock);
        sem_post(lock);
    }
}

static void semaphore_holder(void) {
    prove(&semaphore);
    sem_wait(&semaphore); /* HOLDS SEMAPHORE */
    hold();
    sem_post(&semaphore);
}
static void semaphore_waiter(void) {
    must(sem_wait(&semaphore) == 0); /* WAITS FOR SEMAPHORE */
    sem_post(&semaphore);
}

static void semaphore_timed_holder(void) {
    prove(&semaphore);
    sem_wait(&semaphore); /* HOLDS TIMED SEMAPHORE */
    hold();
    sem_post(&semaphore);
}
static void semaphore_timed_waiter(void) {
    struct timespec at = in_a_while();
    must(sem_timedwait(&semaphore, &at) == -1 && errno == ETIMEDOUT); /* GIVES UP SEMAPHORE */
    errno = OWN_ERRNO;
}

static void pool_holder(void) {
    prove(&slots);
    for (int i = 0; i < 2; i++)
        sem_wait(&slots); /* HOLDS SLOTS */
    hold();
    for (int i = 0; i < 2; i++)
        sem_post(&slots);
}
static void pool_waiter(void) {
    must(sem_wait(&slots) == 0); /* WAITS FOR SLOT */
    sem_post(&slots);
}

static void spin_holder(void) {
    pthread_spin_lock(&spinlock); /* HOLDS SPINLOCK */
    hold();
    pthread_spin_unlock(&spinlock);
}
static void spin_waiter(void) {
    must(pthread_spin_lock(&spinlock) == 0); /* SPINS */
    pthread_spin_unlock(&spinlock);
}

/* ---- */

static const struct {
    const char *name;
    void (*holder)(void), (*waiter)(void);
} kinds[] = {
    {"mutex", mutex_holder, mutex_waiter},
    {"recursive", recursive_holder, recursive_waiter},
    {"errorcheck", errorcheck_holder, errorcheck_waiter},
    {"inherit", inherit_holder, inherit_waiter},
    {"robust", robust_holder, robust_waiter},
    {"c11", c11_holder, c11_waiter},
    {"timedlock", timedlock_holder, timedlock_waiter},
    {"reader", reader_holder, reader_waiter},
    {"writer", writer_holder, writer_waiter},
    {"preferred-writer", preferred_writer_holder, preferred_writer_waiter},
    {"semaphore", semaphore_holder, semaphore_waiter},
    {"semaphore-timed", semaphore_timed_holder, semaphore_timed_waiter},
    {"pool", pool_holder, pool_waiter},
    {"spin", spin_holder, spin_waiter},
};
static size_t kind;

static void *holder(void *unused) {
    pthread_setname_np(pthread_self(), "holder");
    kinds[kind].holder();
    await_turn(2); /* its name is asked for */
    return unused;
}

static void init_locks(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&inherit, &attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_NONE);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    mtx_init(&c11, mtx_plain);
    sem_init(&semaphore, 0, 1);
    sem_init(&slots, 0, 2);
    pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
}

int main(int argc, char **argv) {
    pthread_t thread;
    init_locks();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, argc > 1 ? argv[1] : "mutex") == 0)
            kind = i;
    pthread_create(&thread, NULL, holder, NULL);
    await_turn(1);
    errno = OWN_ERRNO;
    kinds[kind].waiter();
    must(errno == OWN_ERRNO);
    next_turn();
    pthread_join(thread, NULL);
    return 0;
}
