/* scenario [-v] [-c CASE] FILE...   runs the cases of the files
 * scenario --oracle [N [SEED]]      compares N random programs with the oracle
 * scenario --grades [N [SEED]]      the same, with programs of every grade
 * scenario --rw-graphs [N [SEED]]   random graphs of rwlocks against every cycle
 * scenario --hangs [N [SEED]]       lets N random programs hang where they can */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

struct totals {
    size_t passed, failed;
    bool verbose;
    const char *only;
};

static void take_case(struct scenario *scenario, void *user) {
    struct totals *totals = user;
    if (totals->only && strcmp(totals->only, scenario->name) != 0) {
        return;
    }
    bool good = schedule_run(scenario);
    if (good && totals->verbose) {
        printf("ok   %s:%d: %s\n", scenario->file, scenario->line, scenario->name);
    }
    if (good) {
        totals->passed++;
    } else {
        totals->failed++;
    }
    fflush(stdout);
}

static int usage(void) {
    fprintf(stderr, "usage: scenario [-v] [-c CASE] FILE...\n"
                    "       scenario --oracle | --grades | --rw-graphs | --hangs [COUNT [SEED]]\n");
    return 2;
}

static const struct random_test {
    const char *option;
    int (*test)(size_t count, uint64_t seed);
    size_t count;
} random_tests[] = {{"--oracle", oracle_main, 5000},
                    {"--grades", grades_main, 5000},
                    {"--rw-graphs", graphs_main, 20000},
                    {"--hangs", hangs_main, 500}};

static int run_random(const struct random_test *random, int argc, char **argv) {
    return random->test(argc > 2 ? strtoul(argv[2], NULL, 10) : random->count,
                        argc > 3 ? strtoull(argv[3], NULL, 0) : 0);
}

int main(int argc, char **argv) {
    struct totals totals = {0};
    int next = 1;
    for (size_t i = 0; argc > 1 && i < sizeof random_tests / sizeof *random_tests; i++) {
        if (strcmp(argv[1], random_tests[i].option) == 0) {
            return run_random(&random_tests[i], argc, argv);
        }
    }
    for (; next < argc && argv[next][0] == '-'; next++) {
        if (strcmp(argv[next], "-v") == 0) {
            totals.verbose = true;
        } else if (strcmp(argv[next], "-c") == 0 && next + 1 < argc) {
            totals.only = argv[++next];
        } else {
            return usage();
        }
    }
    if (next == argc) {
        return usage();
    }
    for (; next < argc; next++) {
        parse_file(argv[next], take_case, &totals);
    }
    printf("%zu passed, %zu failed\n", totals.passed, totals.failed);
    return totals.failed > 0 || totals.passed == 0;
}
