/* Steps of threads that come, are cancelled, go deep, and go. */
#include "stress.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <threads.h>
#include <unistd.h>

/* ---- churn ---- */

enum { AT_A_TIME = 6 };

static void *short_life(void *ended) {
    static pthread_mutex_t common = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
    MUST(pthread_mutex_lock(&common) == 0);
    MUST(pthread_mutex_lock(&inner) == 0);
    MUST(pthread_mutex_unlock(&inner) == 0);
    MUST(pthread_mutex_unlock(&common) == 0);
    MUST(sem_post(ended) == 0);
    return NULL;
}

static int short_life_c11(void *ended) {
    short_life(ended);
    return 7;
}

static void one_of_c11(sem_t *ended) {
    thrd_t thread;
    int result = 0;
    MUST(thrd_create(&thread, short_life_c11, ended) == thrd_success);
    MUST(thrd_join(thread, &result) == thrd_success && result == 7);
}

void step_churn(struct actor *actor) {
    static sem_t ended; /* zero is initialised: a detached thread may still be in sem_post after the step */
    pthread_t threads[AT_A_TIME];
    bool detached[AT_A_TIME];
    for (int i = 0; i < AT_A_TIME; i++) {
        detached[i] = pick(actor, 2);
        MUST(pthread_create(&threads[i], NULL, short_life, &ended) == 0);
        if (detached[i])
            MUST(pthread_detach(threads[i]) == 0);
    }
    one_of_c11(&ended);
    for (int i = 0; i < AT_A_TIME; i++)
        if (!detached[i])
            MUST(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < AT_A_TIME + 1; i++)
        while (sem_wait(&ended) != 0)
            MUST(errno == EINTR);
    rest(10000); /* some five hundred threads a second are enough */
}

/* ---- cancellation ---- */

struct victim {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    sem_t semaphore, there;
    int pipe[2];
    int cleaned;
};

static void clean_up(void *argument) {
    struct victim *victim = argument;
    victim->cleaned++;
    MUST(pthread_mutex_unlock(&victim->mutex) == 0);
}

/* Each blocks for ever, or nearly so, at a cancellation point, with the mutex held. */
static void block_in_wait(struct victim *victim) {
    for (;;)
        MUST(pthread_cond_wait(&victim->condition, &victim->mutex) == 0);
}

static void block_in_timed_wait(struct victim *victim) {
    struct timespec later = in_milliseconds(CLOCK_REALTIME, LONG_LIMIT);
    for (;;)
        MUST(pthread_cond_timedwait(&victim->condition, &victim->mutex, &later) == 0);
}

static void block_in_semaphore(struct victim *victim) {
    while (sem_wait(&victim->semaphore) != 0)
        MUST(errno == EINTR);
    MUST(!"nobody posts");
}

static void block_in_sleep(struct victim *victim) {
    (void)victim;
    for (;;)
        sleep(1000);
}

static void block_in_read(struct victim *victim) {
    char byte;
    for (;;)
        MUST(read(victim->pipe[0], &byte, 1) < 0 && errno == EINTR);
}

static void (*const blocks[])(struct victim *) = {block_in_wait, block_in_timed_wait, block_in_semaphore,
                                                  block_in_sleep, block_in_read};
enum { BLOCKS = sizeof blocks / sizeof *blocks };

struct blocked {
    struct victim victim;
    uint32_t how;
};

static void *be_blocked(void *argument) {
    struct blocked *blocked = argument;
    MUST(pthread_mutex_lock(&blocked->victim.mutex) == 0);
    pthread_cleanup_push(clean_up, &blocked->victim);
    MUST(sem_post(&blocked->victim.there) == 0);
    blocks[blocked->how](&blocked->victim);
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancel(struct actor *actor, struct blocked *blocked) {
    pthread_t thread;
    void *result = NULL;
    MUST(pthread_create(&thread, NULL, be_blocked, blocked) == 0);
    while (sem_wait(&blocked->victim.there) != 0)
        MUST(errno == EINTR);
    if (pick(actor, 2))
        rest(1000);
    MUST(pthread_cancel(thread) == 0);
    MUST(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    MUST(blocked->victim.cleaned == 1);
    MUST(pthread_mutex_trylock(&blocked->victim.mutex) == 0);
    MUST(pthread_mutex_unlock(&blocked->victim.mutex) == 0);
}

void step_cancel(struct actor *actor) {
    struct blocked blocked = {
        .victim = {.mutex = PTHREAD_MUTEX_INITIALIZER, .condition = PTHREAD_COND_INITIALIZER},
        .how = pick(actor, BLOCKS)};
    struct victim *victim = &blocked.victim;
    MUST(sem_init(&victim->semaphore, 0, 0) == 0 && sem_init(&victim->there, 0, 0) == 0);
    MUST(pipe(victim->pipe) == 0);
    cancel(actor, &blocked);
    MUST(close(victim->pipe[0]) == 0 && close(victim->pipe[1]) == 0);
    MUST(sem_destroy(&victim->semaphore) == 0 && sem_destroy(&victim->there) == 0);
    MUST(pthread_cond_destroy(&victim->condition) == 0 && pthread_mutex_destroy(&victim->mutex) == 0);
}

/* ---- depth ---- */

static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

__attribute__((noinline)) static int descend(struct actor *actor, int depth) {
    volatile char frame[64] = {(char)depth};
    MUST(pthread_mutex_lock(&recursive) == 0);
    if (depth == 0)
        table_visit(actor);
    int below = depth > 0 ? descend(actor, depth - 1) : 0;
    MUST(pthread_mutex_unlock(&recursive) == 0);
    return below + 1 + frame[1];
}

void step_recursion(struct actor *actor) { MUST(descend(actor, 1500) == 1501); }

/* ---- a holder that ends ---- */

static void *die_holding(void *mutex) {
    MUST(pthread_mutex_lock(mutex) == 0);
    return NULL;
}

void step_owner_death(struct actor *actor) {
    pthread_mutexattr_t attributes;
    pthread_mutex_t mutex;
    pthread_t thread;
    MUST(pthread_mutexattr_init(&attributes) == 0);
    MUST(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
    MUST(pthread_mutex_init(&mutex, &attributes) == 0);
    MUST(pthread_create(&thread, NULL, die_holding, &mutex) == 0);
    MUST(pthread_join(thread, NULL) == 0);
    int result = pick(actor, 2) ? pthread_mutex_lock(&mutex) : pthread_mutex_trylock(&mutex);
    MUST(result == EOWNERDEAD);
    MUST(pthread_mutex_consistent(&mutex) == 0);
    MUST(pthread_mutex_unlock(&mutex) == 0);
    MUST(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
    MUST(pthread_mutex_destroy(&mutex) == 0 && pthread_mutexattr_destroy(&attributes) == 0);
    rest(2000);
}
