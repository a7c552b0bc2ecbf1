/* Barriers taken away from under those who wait at them, or used when they are gone.
 * case: destroyed-waited
 *     expect: barrier-misuse none error
 *     says: while T
 *     call: DESTROYED
 *     earlier: WAITS
 *     earlier thread: waiter
 * case: initialised-waited
 *     expect: barrier-misuse none error
 *     says: while T
 *     call: INITIALISED again
 *     earlier: WAITS
 *     earlier thread: waiter
 * case: waited-after
 *     expect: barrier-misuse none error
 *     says: after it was destroyed
 *     call: USED after that
 *     earlier: DESTROYED
 * case: destroyed-twice
 *     expect: barrier-misuse none error
 *     says: after it was destroyed
 *     call: DESTROYED twice
 *     earlier: DESTROYED
 * case: made-anew
 *     silent
 *     near: barrier-misuse
 * case: on-their-way-out
 *     silent
 *     near: barrier-misuse
 * case: many
 *     silent
 *     near: barrier-misuse
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "turns.h"

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t phase;

static void *waiter(void *unused) {
    pthread_setname_np(pthread_self(), "waiter");
    pthread_mutex_lock(&table);
    pthread_mutex_unlock(&table);
    next_turn();
    pthread_barrier_wait(&phase); /* WAITS */
    return unused;
}

static void *destroyer(void *unused) {
    pthread_barrier_destroy(&phase); /* DESTROYED */
    return unused;
}

/* Whoever hangs is left alone. */
static void start(void *(*routine)(void *)) {
    pthread_t thread;
    pthread_create(&thread, NULL, routine, NULL);
    pthread_detach(thread);
    usleep(100000);
}

static void use(void) {
    pthread_barrier_init(&phase, NULL, 1);
    pthread_barrier_wait(&phase);
}

static void on_their_way_out(void) {
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        turn = 0;
        pthread_barrier_init(&phase, NULL, 2);
        pthread_create(&thread, NULL, waiter, NULL);
        await_turn(1);
        pthread_barrier_wait(&phase);
        pthread_barrier_destroy(&phase);
        pthread_join(thread, NULL);
    }
}

static void many(void) {
    for (int i = 0; i < 2000; i++) {
        pthread_barrier_t *one = malloc(sizeof *one);
        pthread_barrier_init(one, NULL, 1);
        pthread_barrier_wait(one);
        if (i % 3 != 0)
            pthread_barrier_destroy(one);
        if (i % 2 == 0)
            free(one);
    }
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    pthread_mutex_lock(&table);
    pthread_mutex_unlock(&table);
    if (strcmp(what, "destroyed-waited") == 0) {
        pthread_barrier_init(&phase, NULL, 2);
        start(waiter);
        start(destroyer);
    } else if (strcmp(what, "initialised-waited") == 0) {
        pthread_barrier_init(&phase, NULL, 2);
        start(waiter);
        pthread_barrier_init(&phase, NULL, 2); /* INITIALISED again */
    } else if (strcmp(what, "waited-after") == 0) {
        use();
        destroyer(NULL);
        pthread_barrier_wait(&phase); /* USED after that */
    } else if (strcmp(what, "destroyed-twice") == 0) {
        use();
        destroyer(NULL);
        pthread_barrier_destroy(&phase); /* DESTROYED twice */
    } else if (strcmp(what, "made-anew") == 0) {
        for (int i = 0; i < 3; i++) {
            use();
            destroyer(NULL);
        }
        use();
        use(); /* nobody waits there */
    } else if (strcmp(what, "on-their-way-out") == 0) {
        on_their_way_out();
    } else if (strcmp(what, "many") == 0) {
        many();
    }
    return 0;
}
