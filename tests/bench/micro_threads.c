/* Cases in which more than one thread runs: contention, creation, conditions, and the start of a process. */
#define _GNU_SOURCE
#include "micro.h"

#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint arrived;

struct contender {
    pthread_t thread;
    int cpu;
    uint64_t rounds;
};

static void pin(int cpu) {
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
        micro_fail("pthread_setaffinity_np");
}

static void *contend(void *argument) {
    const struct contender *self = argument;

    pin(self->cpu);
    atomic_fetch_add(&arrived, 1);
    while (atomic_load(&arrived) < 2)
        sched_yield(); /* the creating thread may need this processor */
    for (uint64_t i = 0; i < self->rounds; i++) {
        pthread_mutex_lock(&shared);
        micro_work(micro_work_loops);
        pthread_mutex_unlock(&shared);
        micro_work(micro_work_loops);
    }
    return NULL;
}

static void run_contended(uint64_t rounds) {
    struct contender contenders[2] = {{0, 0, rounds}, {0, 1, rounds}};

    atomic_store(&arrived, 0);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&contenders[i].thread, NULL, contend, &contenders[i]) != 0)
            micro_fail("pthread_create");
    for (int i = 0; i < 2; i++)
        pthread_join(contenders[i].thread, NULL);
}

static void *nothing(void *argument) { return argument; }

static void run_create(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) != 0)
            micro_fail("pthread_create");
        pthread_join(thread, NULL);
    }
}

/* Ping-pong: `turn` says whose move it is. */
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static int turn;

static void play(int me, uint64_t rounds) {
    pthread_mutex_lock(&shared);
    for (; rounds != 0; rounds--) {
        while (turn != me)
            pthread_cond_wait(&moved, &shared);
        turn = !me;
        pthread_cond_signal(&moved);
    }
    pthread_mutex_unlock(&shared);
}

static void *second_player(void *rounds) {
    play(1, *(uint64_t *)rounds);
    return NULL;
}

static void run_condition(uint64_t rounds) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, second_player, &rounds) != 0)
        micro_fail("pthread_create");
    play(0, rounds);
    pthread_join(thread, NULL);
}

/* BENCH_CHILD names a program; BENCH_CHILD_PRELOAD what is preloaded into it (this process itself runs
 * natively). */
static char **child_environment(void) {
    static char *environment[3];
    static char preload[4200];
    static char options[4200];
    const char *library = getenv("BENCH_CHILD_PRELOAD");
    const char *settings = getenv("BENCH_CHILD_OPTIONS");

    if (library != NULL && settings != NULL) {
        snprintf(preload, sizeof preload, "LD_PRELOAD=%s", library);
        snprintf(options, sizeof options, "LOCKGRAPH_OPTIONS=%s", settings);
        environment[0] = preload;
        environment[1] = options;
    }
    return environment;
}

static void run_start(uint64_t rounds) {
    char *program = getenv("BENCH_CHILD");
    char *arguments[] = {program, NULL};
    char **environment = child_environment();

    if (program == NULL)
        micro_fail("BENCH_CHILD is not set");
    for (; rounds != 0; rounds--) {
        pid_t pid;
        int status;
        if (posix_spawn(&pid, program, NULL, NULL, arguments, environment) != 0)
            micro_fail(program);
        if (waitpid(pid, &status, 0) != pid || status != 0)
            micro_fail("the child failed");
    }
}

const struct micro_case micro_thread_cases[] = {{"contended", MICRO_WALL, 1, NULL, run_contended, NULL},
                                                {"create", MICRO_PROCESS_CPU, 1, NULL, run_create, NULL},
                                                {"condition", MICRO_WALL, 1, NULL, run_condition, NULL},
                                                {"start", MICRO_WALL, 1, NULL, run_start, NULL},
                                                {0}};
