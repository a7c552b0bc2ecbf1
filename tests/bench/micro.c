/*
 * micro CASE [SAMPLE_MICROSECONDS [WORK_LOOPS]]: answers every input line with one sample of CASE.
 * micro list: the names. micro calibrate: how many work loops last 200 ns.
 */
#include "micro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

unsigned micro_work_loops = 150;

static uint64_t sample_ns = 4000000;

void micro_fail(const char *what) {
    perror(what);
    exit(3);
}

uint64_t micro_now(enum micro_clock clock) {
    static const clockid_t ids[] = {CLOCK_THREAD_CPUTIME_ID, CLOCK_PROCESS_CPUTIME_ID, CLOCK_MONOTONIC};
    struct timespec now;

    if (clock_gettime(ids[clock], &now) != 0)
        micro_fail("clock_gettime");
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

MICRO_NOINLINE void micro_work(unsigned loops) {
    uint64_t x = loops;

    while (loops-- != 0) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        __asm__ volatile("" : "+r"(x));
    }
}

static uint64_t elapsed(const struct micro_case *c, uint64_t rounds) {
    uint64_t start = micro_now(c->clock);

    c->run(rounds);
    return micro_now(c->clock) - start;
}

/* The first rounds are not like the later ones; hence again until a sample is about as long as wanted. */
static uint64_t rounds_for_sample(const struct micro_case *c) {
    uint64_t rounds = 1;

    for (int attempt = 0; attempt < 40; attempt++) {
        uint64_t took = elapsed(c, rounds);
        if (took >= sample_ns * 3 / 4 && attempt > 3)
            break;
        uint64_t more = took < sample_ns / 4 ? rounds * 2 : rounds * sample_ns / took;
        rounds = more != 0 ? more : 1;
    }
    return rounds;
}

static void answer_samples(const struct micro_case *c) {
    char line[16];
    uint64_t rounds = rounds_for_sample(c);

    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        c->run(rounds / 8 + 1); /* the caches are cold after waiting for the line */
        printf("%.4f\n", (double)elapsed(c, rounds) / (double)rounds / c->pairs);
        fflush(stdout);
    }
}

static void answer_once(const struct micro_case *c) {
    char line[16];

    puts("ready");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) != NULL)
        c->once();
}

static const struct micro_case *const tables[] = {micro_pair_cases,   micro_edge_cases, micro_fresh_cases,
                                                  micro_thread_cases, micro_api_cases,  NULL};

static const struct micro_case *find_case(const char *name) {
    for (const struct micro_case *const *table = tables; *table != NULL; table++)
        for (const struct micro_case *c = *table; c->name != NULL; c++)
            if (strcmp(c->name, name) == 0)
                return c;
    return NULL;
}

static void list_cases(void) {
    for (const struct micro_case *const *table = tables; *table != NULL; table++)
        for (const struct micro_case *c = *table; c->name != NULL; c++)
            puts(c->name);
}

static void calibrate_work(void) {
    const unsigned loops = 200000;
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < 200; i++) {
        uint64_t start = micro_now(MICRO_WALL);
        micro_work(loops);
        uint64_t took = micro_now(MICRO_WALL) - start;
        best = took < best ? took : best;
    }
    printf("%.0f\n", 200.0 * loops / (double)best);
}

static void *run_case(void *found) {
    const struct micro_case *c = found;

    if (c->prepare != NULL)
        c->prepare();
    (c->run != NULL ? answer_samples : answer_once)(c);
    return NULL;
}

/*
 * In a thread of its own, as the work of servers is; glibc locks without atomic instructions while a process
 * has a single thread, and the first one stays alive.
 */
static void measure(const struct micro_case *c) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, run_case, (void *)(uintptr_t)c) != 0 || pthread_join(thread, NULL) != 0)
        micro_fail("pthread_create");
}

int main(int argc, char **argv) {
    const struct micro_case *c = argc > 1 ? find_case(argv[1]) : NULL;

    if (argc > 2)
        sample_ns = strtoull(argv[2], NULL, 10) * 1000;
    if (argc > 3)
        micro_work_loops = (unsigned)strtoul(argv[3], NULL, 10);
    if (argc > 1 && strcmp(argv[1], "calibrate") == 0)
        calibrate_work();
    else if (argc > 1 && strcmp(argv[1], "list") == 0)
        list_cases();
    else if (c == NULL)
        return fputs("usage: micro CASE [SAMPLE_MICROSECONDS [WORK_LOOPS]] | list | calibrate\n", stderr), 2;
    else
        measure(c);
    return 0;
}
