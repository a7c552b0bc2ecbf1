/* Locks that come and go below a lock that stays, and the memory that a nested lock takes. */
#include "micro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 4096 };

static pthread_mutex_t root = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t slots[SLOTS];
static size_t next_slot;

static pthread_mutex_t *slot(void) { return &slots[next_slot++ % SLOTS]; }

static void run_fresh_init(uint64_t rounds) {
    pthread_mutex_lock(&root);
    for (; rounds != 0; rounds--) {
        pthread_mutex_t *fresh = slot();
        pthread_mutex_init(fresh, NULL);
        pthread_mutex_lock(fresh);
        pthread_mutex_unlock(fresh);
        pthread_mutex_destroy(fresh);
    }
    pthread_mutex_unlock(&root);
}

/* As a std::mutex member of a heap object: initialised by plain stores, never destroyed. */
static void run_fresh_static(uint64_t rounds) {
    pthread_mutex_lock(&root);
    for (; rounds != 0; rounds--) {
        pthread_mutex_t *fresh = slot();
        *fresh = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
        __asm__ volatile("" : : "r"(fresh) : "memory");
        pthread_mutex_lock(fresh);
        pthread_mutex_unlock(fresh);
    }
    pthread_mutex_unlock(&root);
}

static long resident_kib(const char *field) {
    char line[128];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");

    if (status == NULL)
        micro_fail("/proc/self/status");
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, field, strlen(field)) == 0)
            kib = strtol(line + strlen(field), NULL, 10);
    fclose(status);
    return kib;
}

/* Prints bytes of resident memory a nested lock: in all, anonymous. */
static void memory(void) {
    enum { LOCKS = 200000 };
    pthread_mutex_t *locks = malloc(LOCKS * sizeof *locks);

    if (locks == NULL)
        micro_fail("malloc");
    memset(locks, 1, LOCKS * sizeof *locks);
    __asm__ volatile("" : : "r"(locks) : "memory"); /* not to become a calloc: the pages are to be resident */
    memset(locks, 0, LOCKS * sizeof *locks);
    pthread_mutex_lock(&root);
    pthread_mutex_unlock(&root);
    long all = resident_kib("VmRSS:");
    long anonymous = resident_kib("RssAnon:");
    pthread_mutex_lock(&root);
    for (size_t i = 0; i < LOCKS; i++) {
        pthread_mutex_lock(&locks[i]);
        pthread_mutex_unlock(&locks[i]);
    }
    pthread_mutex_unlock(&root);
    all = resident_kib("VmRSS:") - all;
    anonymous = resident_kib("RssAnon:") - anonymous;
    printf("%.2f %.2f\n", (double)all * 1024 / LOCKS, (double)anonymous * 1024 / LOCKS);
}

const struct micro_case micro_fresh_cases[] = {
    {"fresh-init", MICRO_THREAD_CPU, 1, NULL, run_fresh_init, NULL},
    {"fresh-static", MICRO_THREAD_CPU, 1, NULL, run_fresh_static, NULL},
    {"memory", MICRO_WALL, 1, NULL, NULL, memory},
    {0}};
