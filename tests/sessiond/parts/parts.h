/* Tests of the service's parts that HTTP cannot see exactly: sessiond-parts [WORD] runs
 * those whose name has the word in it, each in a scratch directory under the current one,
 * and ends with "N passed, N failed". */
#ifndef PARTS_H
#define PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "error.h"
#include "pool.h"

/* What is not so fails the test that runs, with the line; it goes on. */
#define CHECK(condition) part_check(condition, __FILE__, __LINE__, #condition)
bool part_check(bool well, const char *file, int line, const char *what);
/* Of the last error. */
#define CHECK_ERROR(error, status_wanted, code_wanted)                                                       \
    part_check_error(error, status_wanted, code_wanted, __FILE__, __LINE__)
bool part_check_error(const struct sd_error *error, int status, const char *code, const char *file, int line);

struct part {
    const char *name;
    void (*run)(void);
};
struct part_group {
    const struct part *parts;
    size_t count;
};
extern const struct part_group parts_locks, parts_pool, parts_tasks, parts_queue, parts_workers,
    parts_sessions, parts_streams, parts_alerts;

/* The defaults, with data_dir in the scratch directory of this test; a test changes its own
 * copy before it makes anything. */
const struct sd_config *part_config(void);
/* A pool with the database prepared; the caller's. */
struct sd_pool *part_pool(int size, int overflow, int wait_ms);
/* Lockgraph's findings since the test began: always 0 without it. */
int part_findings(void);
/* Waits for something another thread brings about, for at most some seconds. */
#define WAIT_FOR(condition)                                                                                  \
    do {                                                                                                     \
        for (int part_tries = 0; part_tries < 1000 && !(condition); part_tries++)                            \
            part_pause(10);                                                                                  \
        CHECK(condition);                                                                                    \
    } while (0)
void part_pause(int ms);

/* The child of the queue's crash test: `sessiond-parts --work`. */
int part_work(void);

#endif
