/* The steady state: uncontended acquisitions whose order has been seen before. */
#include "micro.h"

#include <semaphore.h>
#include <stdlib.h>

enum { MANY = 1024 };

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t few[8] = {[0 ... 7] = PTHREAD_MUTEX_INITIALIZER};
static pthread_mutex_t many[MANY] = {[0 ... MANY - 1] = PTHREAD_MUTEX_INITIALIZER};

static void run_pair(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        pthread_mutex_lock(&one);
        pthread_mutex_unlock(&one);
    }
}

static pthread_spinlock_t spin;

static void prepare_spin(void) { pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE); }

static void run_spin(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        pthread_spin_lock(&spin);
        pthread_spin_unlock(&spin);
    }
}

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;

static void run_rwlock_read(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        pthread_rwlock_rdlock(&table);
        pthread_rwlock_unlock(&table);
    }
}

static void run_rwlock_write(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        pthread_rwlock_wrlock(&table);
        pthread_rwlock_unlock(&table);
    }
}

/* As a cache does: a lock around, then one reader. */
static void run_rwlock_nested(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        pthread_mutex_lock(&one);
        pthread_rwlock_rdlock(&table);
        pthread_rwlock_unlock(&table);
        pthread_mutex_unlock(&one);
    }
}

static sem_t slot, token;

static void prepare_sem(void) {
    sem_init(&slot, 0, 1);
    sem_init(&token, 0, 0);
}

static void run_sem(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        sem_wait(&slot);
        sem_post(&slot);
    }
}

/* A chain that stays known although a post and a wait order it anew each time. */
static void run_sem_handover(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        pthread_mutex_lock(&few[0]);
        pthread_mutex_lock(&few[1]);
        pthread_mutex_unlock(&few[1]);
        pthread_mutex_unlock(&few[0]);
        sem_post(&token);
        sem_wait(&token);
    }
}

static void run_nested2(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        pthread_mutex_lock(&few[0]);
        pthread_mutex_lock(&few[1]);
        pthread_mutex_unlock(&few[1]);
        pthread_mutex_unlock(&few[0]);
    }
}

static void run_nested8(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        pthread_mutex_lock(&few[0]);
        pthread_mutex_lock(&few[1]);
        pthread_mutex_lock(&few[2]);
        pthread_mutex_lock(&few[3]);
        pthread_mutex_lock(&few[4]);
        pthread_mutex_lock(&few[5]);
        pthread_mutex_lock(&few[6]);
        pthread_mutex_lock(&few[7]);
        pthread_mutex_unlock(&few[7]);
        pthread_mutex_unlock(&few[6]);
        pthread_mutex_unlock(&few[5]);
        pthread_mutex_unlock(&few[4]);
        pthread_mutex_unlock(&few[3]);
        pthread_mutex_unlock(&few[2]);
        pthread_mutex_unlock(&few[1]);
        pthread_mutex_unlock(&few[0]);
    }
}

static void run_nested8_loop(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
#pragma GCC unroll 1
        for (int i = 0; i < 8; i++)
            pthread_mutex_lock(&few[i]);
#pragma GCC unroll 1
        for (int i = 7; i >= 0; i--)
            pthread_mutex_unlock(&few[i]);
    }
}

static void run_turn(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        for (int i = 0; i < MANY; i++) {
            pthread_mutex_lock(&many[i]);
            pthread_mutex_unlock(&many[i]);
        }
    }
}

static void run_turn_root(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        pthread_mutex_lock(&one);
        run_turn(1);
        pthread_mutex_unlock(&one);
    }
}

/* A wrapper as programs have them: its frame is gone while the lock is held. */
static MICRO_NOINLINE void my_lock(pthread_mutex_t *mutex) {
    if (pthread_mutex_lock(mutex) != 0)
        abort();
}

static MICRO_NOINLINE void my_unlock(pthread_mutex_t *mutex) {
    if (pthread_mutex_unlock(mutex) != 0)
        abort();
}

static void run_wrapper_nested(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        my_lock(&few[0]);
        my_lock(&few[1]);
        my_unlock(&few[1]);
        my_unlock(&few[0]);
    }
}

/* A wrapper costs more once it is known as one, which takes a nested acquisition through it. */
static void prepare_wrapper(void) { run_wrapper_nested(2); }

static void run_wrapper_pair(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        my_lock(&one);
        my_unlock(&one);
    }
}

/* Four callers with frames of one size: the same return address and stack pointer, different stacks. */
#define CALLER(name)                                                                                         \
    static MICRO_NOINLINE void name(pthread_mutex_t *outer, pthread_mutex_t *inner) {                        \
        my_lock(outer);                                                                                      \
        if (inner != NULL) {                                                                                 \
            my_lock(inner);                                                                                  \
            my_unlock(inner);                                                                                \
        }                                                                                                    \
        my_unlock(outer);                                                                                    \
        __asm__ volatile("# " #name);                                                                        \
    }

CALLER(caller1)
CALLER(caller2)
CALLER(caller3)
CALLER(caller4)

static void run_callers(uint64_t rounds, pthread_mutex_t *outer, pthread_mutex_t *inner) {
    for (; rounds != 0; rounds--) {
        caller1(outer, inner);
        caller2(outer, inner);
        caller3(outer, inner);
        caller4(outer, inner);
    }
}

static void run_wrapper_pair4(uint64_t rounds) { run_callers(rounds, &one, NULL); }

static void run_wrapper_nested4(uint64_t rounds) { run_callers(rounds, &few[0], &few[1]); }

static void prepare_callers(void) { run_wrapper_nested4(2); }

const struct micro_case micro_pair_cases[] = {
    {"pair", MICRO_THREAD_CPU, 1, NULL, run_pair, NULL},
    {"nested2", MICRO_THREAD_CPU, 2, NULL, run_nested2, NULL},
    {"nested8", MICRO_THREAD_CPU, 8, NULL, run_nested8, NULL},
    {"nested8-loop", MICRO_THREAD_CPU, 8, NULL, run_nested8_loop, NULL},
    {"turn1024", MICRO_THREAD_CPU, MANY, NULL, run_turn, NULL},
    {"turn1024-root", MICRO_THREAD_CPU, MANY + 1, NULL, run_turn_root, NULL},
    {"wrapper", MICRO_THREAD_CPU, 1, prepare_wrapper, run_wrapper_pair, NULL},
    {"wrapper4", MICRO_THREAD_CPU, 4, prepare_callers, run_wrapper_pair4, NULL},
    {"wrapper-nested", MICRO_THREAD_CPU, 2, prepare_wrapper, run_wrapper_nested, NULL},
    {"wrapper4-nested", MICRO_THREAD_CPU, 8, prepare_callers, run_wrapper_nested4, NULL},
    {"spin", MICRO_THREAD_CPU, 1, prepare_spin, run_spin, NULL},
    {"rwlock-read", MICRO_THREAD_CPU, 1, NULL, run_rwlock_read, NULL},
    {"rwlock-write", MICRO_THREAD_CPU, 1, NULL, run_rwlock_write, NULL},
    {"rwlock-nested", MICRO_THREAD_CPU, 2, NULL, run_rwlock_nested, NULL},
    {"sem", MICRO_THREAD_CPU, 1, prepare_sem, run_sem, NULL},
    {"sem-handover", MICRO_THREAD_CPU, 3, prepare_sem, run_sem_handover, NULL},
    {0}};
