#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static time_t told; /* 0: no work has begun */
static bool shown;

static time_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return time.tv_sec + 1;
}

void progress(const char *what, size_t done, size_t count) {
    time_t second = now();
    if (told == 0)
        told = second;
    if (second <= told + !shown || !isatty(STDERR_FILENO))
        return;
    told = second;
    shown = true;
    fprintf(stderr, "\r\033[Klockgraph: %s %zu", what, done);
    if (count)
        fprintf(stderr, " of %zu", count);
}

void progress_end(void) {
    if (shown)
        fputs("\r\033[K", stderr);
    told = 0;
    shown = false;
}
