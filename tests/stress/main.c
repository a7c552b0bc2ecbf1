/* usage: stress [--seconds N] [--seed S] [--only NAME[,NAME...]] */
#include "stress.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct actor actors[] = {
    {.name = "table", .step = step_table},
    {.name = "table", .step = step_table},
    {.name = "table", .step = step_table},
    {.name = "fresh locks", .step = step_fresh_locks},
    {.name = "queue", .step = step_queue},
    {.name = "barrier", .step = step_barrier},
    {.name = "once", .step = step_once},
    {.name = "slots", .step = step_slots},
    {.name = "churn", .step = step_churn},
    {.name = "cancel", .step = step_cancel},
    {.name = "cancel", .step = step_cancel},
    {.name = "recursion", .step = step_recursion},
    {.name = "owner death", .step = step_owner_death},
    {.name = "children", .step = step_children},
    {.name = "children", .step = step_children},
    {.name = "send signals", .step = step_send_signals},
    {.name = "take signals", .step = step_take_signals},
    {.name = "library", .step = step_library},
    {.name = "library", .step = step_library},
};
static _Atomic bool stop;
static const char *only = ""; /* names of the actors that play; empty: all */

/* ---- what all steps use ---- */

uint32_t pick(struct actor *actor, uint32_t below) {
    actor->random ^= actor->random << 13;
    actor->random ^= actor->random >> 7;
    actor->random ^= actor->random << 17;
    return (uint32_t)(actor->random >> 32) % below;
}

void must(bool holds, const char *what, const char *file, int line) {
    if (holds)
        return;
    fprintf(stderr, "stress: %s:%d: not so: %s (errno %d)\n", file, line, what, errno);
    abort();
}

struct timespec in_milliseconds(clockid_t clock, long milliseconds) {
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_sec += milliseconds / 1000;
    time.tv_nsec += milliseconds % 1000 * 1000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_sec++;
        time.tv_nsec -= 1000000000;
    }
    return time;
}

void rest(long microseconds) {
    struct timespec until = in_milliseconds(CLOCK_MONOTONIC, microseconds / 1000);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

/* ---- the play ---- */

static bool plays(const struct actor *actor) { return !only[0] || strstr(only, actor->name); }

static void *play(void *argument) {
    struct actor *actor = argument;
    while (!stop && plays(actor)) {
        actor->step(actor);
        atomic_fetch_add_explicit(&actor->steps, 1, memory_order_relaxed);
    }
    return NULL;
}

static unsigned long steps_of(const struct actor *actor) {
    return atomic_load_explicit(&actor->steps, memory_order_relaxed);
}

/* Nobody may stand still longer than this. */
#define PATIENCE 60

struct seen {
    unsigned long steps;
    int seconds;
};

static void watch(struct seen *seen) {
    for (size_t i = 0; i < COUNT(actors); i++) {
        seen[i].seconds = seen[i].steps == steps_of(&actors[i]) ? seen[i].seconds + 1 : 0;
        seen[i].steps = steps_of(&actors[i]);
        if (seen[i].seconds <= PATIENCE || !plays(&actors[i]))
            continue;
        fprintf(stderr, "stress: \"%s\" stands still for %d seconds\n", actors[i].name, PATIENCE);
        abort();
    }
}

static void play_for(long seconds) {
    pthread_t threads[COUNT(actors)];
    struct seen seen[COUNT(actors)] = {0};
    for (size_t i = 0; i < COUNT(actors); i++)
        MUST(pthread_create(&threads[i], NULL, play, &actors[i]) == 0);
    for (long second = 0; second < seconds; second++) {
        rest(1000000);
        watch(seen);
    }
    stop = true;
    alarm(PATIENCE);
    for (size_t i = 0; i < COUNT(actors); i++)
        MUST(pthread_join(threads[i], NULL) == 0);
}

static void seed_actors(unsigned long seed) {
    for (size_t i = 0; i < COUNT(actors); i++) {
        actors[i].random = (seed + 1) * 0x9e3779b97f4a7c15u + i * 0xbf58476d1ce4e5b9u + 1;
        for (int warm = 0; warm < 16; warm++)
            pick(&actors[i], 2);
    }
}

static void print_summary(void) {
    printf("stress: all well:");
    for (size_t i = 0; i < COUNT(actors); i++)
        printf("%s %lu %s", i ? "," : "", steps_of(&actors[i]), actors[i].name);
    printf("\n");
}

static unsigned long number(const char *text) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text == 0 || *end != 0) {
        fprintf(stderr, "usage: stress [--seconds N] [--seed S] [--only NAME[,NAME...]]\n");
        exit(2);
    }
    return value;
}

int main(int count, char **arguments) {
    unsigned long seconds = 10, seed = (unsigned long)time(NULL);
    if (count == 2 && strcmp(arguments[1], "--brief") == 0)
        return brief_main();
    for (int i = 1; i < count; i += 2) {
        const char *value = i + 1 < count ? arguments[i + 1] : "";
        if (strcmp(arguments[i], "--seconds") == 0)
            seconds = number(value);
        else if (strcmp(arguments[i], "--seed") == 0)
            seed = number(value);
        else if (strcmp(arguments[i], "--only") == 0)
            only = value;
        else
            number("");
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("stress: seed %lu, %lu seconds\n", seed, seconds);
    seed_actors(seed);
    table_start(&actors[0]);
    signals_start();
    children_start();
    play_for((long)seconds);
    table_check();
    print_summary();
    return 0;
}
