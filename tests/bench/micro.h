/*
 * Micro benchmarks of lock operations: what the files of this program share.
 *
 * One process measures one case. It is driven over its standard input, one line a sample, so that the driver
 * (tests/bench/run) can let several processes take turns and compare samples that are a few milliseconds
 * apart.
 */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include <pthread.h>
#include <stdint.h>

#ifdef __clang__
#define MICRO_NOINLINE __attribute__((noinline))
#else
#define MICRO_NOINLINE __attribute__((noinline, noclone))
#endif

enum micro_clock {
    MICRO_THREAD_CPU,  /* CPU time of the measuring thread: a preempted sample is not a slow one */
    MICRO_PROCESS_CPU, /* CPU time of all threads */
    MICRO_WALL         /* where waiting is part of the figure */
};

struct micro_case {
    const char *name;
    enum micro_clock clock;
    unsigned pairs;        /* operations in one round; a sample is printed in nanoseconds per operation */
    void (*prepare)(void); /* may be null */
    void (*run)(uint64_t rounds); /* a repeatable case */
    void (*once)(void); /* or one that prints a single line and cannot be repeated in this process */
};

/* Each table ends with an entry without a name. */
extern const struct micro_case micro_pair_cases[];
extern const struct micro_case micro_edge_cases[];
extern const struct micro_case micro_fresh_cases[];
extern const struct micro_case micro_thread_cases[];
extern const struct micro_case micro_api_cases[];

/* Loops of micro_work that last about 200 ns; given by the driver so that all processes do the same work. */
extern unsigned micro_work_loops;

void micro_work(unsigned loops);
uint64_t micro_now(enum micro_clock clock);
void micro_fail(const char *what) __attribute__((noreturn));

#endif
