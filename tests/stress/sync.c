/* Steps of threads that hand something to each other. */
#include "stress.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <threads.h>

static void start(pthread_t *threads, int count, void *(*body)(void *), void *argument) {
    for (int i = 0; i < count; i++)
        MUST(pthread_create(&threads[i], NULL, body, argument) == 0);
}

static void finish(const pthread_t *threads, int count) {
    for (int i = 0; i < count; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
}

/* ---- locks that live for a moment, in memory that is used again ---- */

struct moment {
    pthread_mutex_t outer, inner;
    pthread_rwlock_t rwlock;
    sem_t semaphore;
};

static void nest(struct moment *moment) {
    MUST(pthread_mutex_lock(&moment->outer) == 0);
    MUST(pthread_rwlock_rdlock(&moment->rwlock) == 0);
    MUST(pthread_mutex_lock(&moment->inner) == 0);
    MUST(sem_trywait(&moment->semaphore) == 0);
    MUST(sem_post(&moment->semaphore) == 0);
    MUST(pthread_mutex_unlock(&moment->outer) == 0);
    MUST(pthread_mutex_unlock(&moment->inner) == 0);
    MUST(pthread_rwlock_unlock(&moment->rwlock) == 0);
}

static void one_moment(struct actor *actor) {
    struct moment *moment = malloc(sizeof *moment + pick(actor, 8) * 16);
    MUST(moment != NULL);
    MUST(pthread_mutex_init(&moment->outer, NULL) == 0 && pthread_mutex_init(&moment->inner, NULL) == 0);
    MUST(pthread_rwlock_init(&moment->rwlock, NULL) == 0 && sem_init(&moment->semaphore, 0, 1) == 0);
    nest(moment);
    if (pick(actor, 4)) { /* freeing a lock without destroying it is common, and right where it is free */
        MUST(pthread_mutex_destroy(&moment->outer) == 0 && pthread_mutex_destroy(&moment->inner) == 0);
        MUST(pthread_rwlock_destroy(&moment->rwlock) == 0 && sem_destroy(&moment->semaphore) == 0);
    }
    free(moment);
}

void step_fresh_locks(struct actor *actor) {
    for (int i = 0; i < 200; i++)
        one_moment(actor);
    table_visit(actor);
}

/* ---- a bounded queue ---- */

enum { ROOM = 4, ITEMS = 100, PRODUCERS = 2 };

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled, drained;
    int length, sum;
};

static void *produce(void *argument) {
    struct queue *queue = argument;
    for (int i = 0; i < ITEMS; i++) {
        MUST(pthread_mutex_lock(&queue->mutex) == 0);
        while (queue->length == ROOM)
            MUST(pthread_cond_wait(&queue->drained, &queue->mutex) == 0);
        queue->length++;
        MUST(pthread_cond_signal(&queue->filled) == 0);
        MUST(pthread_mutex_unlock(&queue->mutex) == 0);
    }
    return NULL;
}

/* In every way there is to wait, some of which give up soon. */
static void await_item(struct actor *actor, struct queue *queue) {
    struct timespec soon = in_milliseconds(CLOCK_REALTIME, 1), later = in_milliseconds(CLOCK_MONOTONIC, 2);
    int result = 0;
    switch (pick(actor, 3)) {
    case 0:
        result = pthread_cond_timedwait(&queue->filled, &queue->mutex, &soon);
        break;
    case 1:
        result = pthread_cond_clockwait(&queue->filled, &queue->mutex, CLOCK_MONOTONIC, &later);
        break;
    default:
        result = pthread_cond_wait(&queue->filled, &queue->mutex);
    }
    MUST(result == 0 || result == ETIMEDOUT);
}

static void consume(struct actor *actor, struct queue *queue) {
    for (int i = 0; i < PRODUCERS * ITEMS; i++) {
        MUST(pthread_mutex_lock(&queue->mutex) == 0);
        while (queue->length == 0)
            await_item(actor, queue);
        queue->length--;
        queue->sum++;
        MUST((pick(actor, 2) ? pthread_cond_signal : pthread_cond_broadcast)(&queue->drained) == 0);
        MUST(pthread_mutex_unlock(&queue->mutex) == 0);
    }
}

void step_queue(struct actor *actor) {
    struct queue queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0,
                          0};
    pthread_t threads[PRODUCERS];
    start(threads, PRODUCERS, produce, &queue);
    consume(actor, &queue);
    finish(threads, PRODUCERS);
    MUST(queue.sum == PRODUCERS * ITEMS && queue.length == 0);
    MUST(pthread_cond_destroy(&queue.filled) == 0 && pthread_cond_destroy(&queue.drained) == 0);
    MUST(pthread_mutex_destroy(&queue.mutex) == 0);
}

/* ---- phases ---- */

enum { PARTIES = 4, ROUNDS = 20 };

struct phases {
    pthread_barrier_t barrier;
    pthread_mutex_t even, odd;
    int turns; /* written by the one whom the barrier chose */
};

/* The two mutexes change their order from phase to phase: the barrier keeps them apart. */
static void *pass(void *argument) {
    struct phases *phases = argument;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_mutex_t *first = round % 2 ? &phases->odd : &phases->even;
        pthread_mutex_t *second = round % 2 ? &phases->even : &phases->odd;
        MUST(pthread_mutex_lock(first) == 0 && pthread_mutex_lock(second) == 0);
        MUST(pthread_mutex_unlock(second) == 0 && pthread_mutex_unlock(first) == 0);
        int result = pthread_barrier_wait(&phases->barrier);
        MUST(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
        if (result == PTHREAD_BARRIER_SERIAL_THREAD) /* or the others' += 0 may undo it */
            phases->turns++;
    }
    return NULL;
}

void step_barrier(struct actor *actor) {
    struct phases phases = {.even = PTHREAD_MUTEX_INITIALIZER, .odd = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[PARTIES - 1];
    (void)actor;
    MUST(pthread_barrier_init(&phases.barrier, NULL, PARTIES) == 0);
    start(threads, PARTIES - 1, pass, &phases);
    pass(&phases);
    finish(threads, PARTIES - 1);
    MUST(phases.turns == ROUNDS);
    MUST(pthread_barrier_destroy(&phases.barrier) == 0);
}

/* ---- once ---- */

static mtx_t ready_lock;
static pthread_mutex_t init_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int initialised;

static void initialise(void) {
    MUST(pthread_mutex_lock(&init_lock) == 0);
    initialised++;
    MUST(pthread_mutex_unlock(&init_lock) == 0);
}

static void make_ready(void) { MUST(mtx_init(&ready_lock, mtx_plain) == thrd_success); }

static void *need(void *once) {
    static once_flag ready = ONCE_FLAG_INIT;
    call_once(&ready, make_ready);
    MUST(mtx_lock(&ready_lock) == thrd_success);
    MUST(mtx_unlock(&ready_lock) == thrd_success);
    MUST(pthread_once(once, initialise) == 0);
    MUST(initialised > 0);
    return NULL;
}

void step_once(struct actor *actor) {
    pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_t threads[3];
    (void)actor;
    initialised = 0;
    start(threads, 3, need, &once);
    need(&once);
    finish(threads, 3);
    MUST(initialised == 1);
}

/* ---- a semaphore of several slots, and one as a signal ---- */

enum { SLOTS = 2, USERS = 4, USES = 20 };

struct slots {
    sem_t free, done;
    _Atomic int inside;
};

static void wait_for(sem_t *semaphore) {
    while (sem_wait(semaphore) != 0)
        MUST(errno == EINTR);
}

static void *use_slots(void *argument) {
    struct slots *slots = argument;
    for (int i = 0; i < USES; i++) {
        wait_for(&slots->free);
        MUST(++slots->inside <= SLOTS);
        sched_yield();
        slots->inside--;
        MUST(sem_post(&slots->free) == 0);
    }
    MUST(sem_post(&slots->done) == 0);
    return NULL;
}

void step_slots(struct actor *actor) {
    struct slots slots = {.inside = 0};
    pthread_t threads[USERS];
    MUST(sem_init(&slots.free, 0, SLOTS) == 0 && sem_init(&slots.done, 0, 0) == 0);
    start(threads, USERS, use_slots, &slots);
    for (int i = 0; i < USERS; i++)
        wait_for(&slots.done);
    finish(threads, USERS);
    table_visit(actor);
    MUST(sem_destroy(&slots.free) == 0 && sem_destroy(&slots.done) == 0);
}
