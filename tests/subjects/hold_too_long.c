/* A lock is held for longer than hold_limit: told when it is given up, with where that
 * is and where it was taken; of one that goes on, by a thread that waits for it.
 *
 * options: -O hold_limit=100ms:hold_limit_shared=150ms
 * seconds: 8
 *
 * case: mutex
 *     expect: hold-too-long none warning
 *     call: RELEASES MUTEX
 *     earlier: TAKES MUTEX
 *     lock: mutex_lock
 *     says: holds mutex_lock for too long, longer than allowed (100 ms), was released at, was taken at
 * case: recursive
 *     expect: hold-too-long none warning
 *     call: RELEASES RECURSIVE
 *     earlier: TAKES RECURSIVE
 *     lock: recursive
 * case: wrapper
 *     expect: hold-too-long none warning
 *     call: LEAVES
 *     earlier: ENTERS
 *     lock: mutex_lock
 * case: writer
 *     expect: hold-too-long none warning
 *     call: RELEASES WRITER
 *     earlier: TAKES WRITER
 *     lock: rwlock
 * case: reader
 *     expect: hold-too-long none warning
 *     call: RELEASES READER
 *     earlier: TAKES READER
 *     lock: rwlock
 *     says: longer than allowed (150 ms)
 * case: spin
 *     expect: hold-too-long none warning
 *     call: RELEASES SPINLOCK
 *     earlier: TAKES SPINLOCK
 * case: semaphore
 *     expect: hold-too-long none warning
 *     call: RELEASES SEMAPHORE
 *     earlier: TAKES SEMAPHORE
 * case: condition
 *     expect: hold-too-long none warning
 *     call: WAITS AT LAST
 *     earlier: TAKES FOR CONDITION
 *     lock: mutex_lock
 * case: waited-for
 *     expect: hold-too-long none warning
 *     call: WAITS FOR MUTEX
 *     earlier: KEEPS MUTEX
 *     earlier thread: keeper
 *     lock: mutex_lock
 *     says: holds mutex_lock for too long, and goes on, waited for
 *
 * case: short
 *     silent
 *     near: hold-too-long
 *     options: -O hold_limit=5s:hold_limit_shared=5s
 * case: reader-allowed
 *     silent
 *     near: hold-too-long
 *     options: -O hold_limit=100ms
 * case: waits-for-condition
 *     silent
 *     near: hold-too-long
 *     options: -O hold_limit=300ms
 * case: signal-semaphore
 *     silent
 *     near: hold-too-long
 * case: taken-often
 *     silent
 *     near: hold-too-long
 *     options: -O hold_limit=1s
 * case: no-limit
 *     silent
 *     near: hold-too-long
 *     options: -O hold_limit=none
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "turns.h"

enum { HELD_MS = 300, OWN_ERRNO = 4321 };

static pthread_mutex_t mutex_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_spinlock_t spinlock;
static sem_t semaphore, signalled;

static void must(int good) {
    if (!good)
        abort();
}
static void pass(int ms) { usleep((useconds_t)ms * 1000); }
static struct timespec in_ms(int ms) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += ms * 1000000L;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static void hold_mutex(void) {
    pthread_mutex_lock(&mutex_lock); /* TAKES MUTEX */
    pass(HELD_MS);
    must(pthread_mutex_unlock(&mutex_lock) == 0); /* RELEASES MUTEX */
}

static void hold_recursive(void) {
    pthread_mutex_lock(&recursive); /* TAKES RECURSIVE */
    pass(HELD_MS);
    pthread_mutex_lock(&recursive);
    pthread_mutex_unlock(&recursive);
    must(pthread_mutex_unlock(&recursive) == 0); /* RELEASES RECURSIVE */
}

static __attribute__((noinline)) void enter(void) { pthread_mutex_lock(&mutex_lock); }
static __attribute__((noinline)) void leave(void) { pthread_mutex_unlock(&mutex_lock); }
static void hold_by_wrapper(void) {
    enter(); /* ENTERS */
    pass(HELD_MS);
    leave(); /* LEAVES */
}

static void hold_writer(void) {
    pthread_rwlock_wrlock(&rwlock); /* TAKES WRITER */
    pass(HELD_MS);
    must(pthread_rwlock_unlock(&rwlock) == 0); /* RELEASES WRITER */
}

static void hold_reader(void) {
    pthread_rwlock_rdlock(&rwlock); /* TAKES READER */
    pass(HELD_MS);
    must(pthread_rwlock_unlock(&rwlock) == 0); /* RELEASES READER */
}

static void hold_spin(void) {
    pthread_spin_lock(&spinlock); /* TAKES SPINLOCK */
    pass(HELD_MS);
    must(pthread_spin_unlock(&spinlock) == 0); /* RELEASES SPINLOCK */
}

static void hold_semaphore(void) {
    for (int i = 0; i < 2; i++) { /* that it is a lock is known once its holder posted it */
        sem_wait(&semaphore);     /* TAKES SEMAPHORE */
        pass(i * HELD_MS);
        must(sem_post(&semaphore) == 0); /* RELEASES SEMAPHORE */
    }
}

static void hold_until_wait(void) {
    struct timespec at = in_ms(HELD_MS + 100);
    pthread_mutex_lock(&mutex_lock); /* TAKES FOR CONDITION */
    pass(HELD_MS);
    must(pthread_cond_timedwait(&condition, &mutex_lock, &at) == ETIMEDOUT); /* WAITS AT LAST */
    pthread_mutex_unlock(&mutex_lock);
}

static void *keeper(void *unused) {
    pthread_setname_np(pthread_self(), "keeper");
    pthread_mutex_lock(&mutex_lock); /* KEEPS MUTEX */
    next_turn();
    pass(1500);
    pthread_mutex_unlock(&mutex_lock);
    await_turn(2); /* its name is asked for */
    return unused;
}
static void wait_for_keeper(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, keeper, NULL);
    await_turn(1);
    must(pthread_mutex_lock(&mutex_lock) == 0); /* WAITS FOR MUTEX */
    pthread_mutex_unlock(&mutex_lock);
    next_turn();
    pthread_join(thread, NULL);
}

static void hold_shortly(void) {
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&mutex_lock);
        pthread_rwlock_rdlock(&rwlock);
        pthread_rwlock_unlock(&rwlock);
        pthread_mutex_unlock(&mutex_lock);
    }
}

/* Twice its limit, most of which it is given up for the wait. */
static void hold_around_wait(void) {
    pthread_mutex_lock(&mutex_lock);
    struct timespec at = in_ms(2 * HELD_MS);
    while (pthread_cond_timedwait(&condition, &mutex_lock, &at) == 0)
        continue;
    pthread_mutex_unlock(&mutex_lock);
}

static void *poster(void *unused) {
    sem_post(&signalled);
    return unused;
}
/* Posted by a thread that took nothing: then who took it does not hold a lock either. */
static void pass_on_signal(void) {
    pthread_t thread;
    sem_init(&signalled, 0, 1);
    sem_wait(&signalled);
    pthread_create(&thread, NULL, poster, NULL);
    pthread_join(thread, NULL);
    pass(HELD_MS);
    sem_post(&signalled);
}

static void take_often(void) {
    for (int i = 0; i < 30; i++) {
        pthread_mutex_lock(&mutex_lock);
        pass(50);
        pthread_mutex_unlock(&mutex_lock);
    }
}

static const struct {
    const char *name;
    void (*function)(void);
} cases[] = {
    {"mutex", hold_mutex},
    {"recursive", hold_recursive},
    {"wrapper", hold_by_wrapper},
    {"writer", hold_writer},
    {"reader", hold_reader},
    {"spin", hold_spin},
    {"semaphore", hold_semaphore},
    {"condition", hold_until_wait},
    {"waited-for", wait_for_keeper},
    {"short", hold_shortly},
    {"reader-allowed", hold_reader},
    {"waits-for-condition", hold_around_wait},
    {"signal-semaphore", pass_on_signal},
    {"taken-often", take_often},
    {"no-limit", hold_mutex},
};

static void *run(void *chosen) {
    errno = OWN_ERRNO;
    cases[*(size_t *)chosen].function();
    return chosen;
}

int main(int argc, char **argv) {
    pthread_t thread;
    size_t chosen = 0;
    pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
    sem_init(&semaphore, 0, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(cases[i].name, argc > 1 ? argv[1] : "mutex") == 0)
            chosen = i;
    pthread_create(&thread, NULL, run, &chosen);
    pthread_join(thread, NULL);
    return 0;
}
