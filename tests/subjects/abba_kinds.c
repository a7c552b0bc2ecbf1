/* The inversion on every kind of mutex, those of the side table included.
 *
 * arguments: recursive | errorcheck | adaptive | robust | inherit | shared
 * expect: order-cycle feasible error
 * shows: abba of mutexes
 * edge: HELD outer -> WANTED inner
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "turns.h"

static pthread_mutex_t a, b;

static void initialise(pthread_mutex_t *mutex, const char *kind) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if (strcmp(kind, "recursive") == 0)
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    else if (strcmp(kind, "errorcheck") == 0)
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    else if (strcmp(kind, "adaptive") == 0)
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
    else if (strcmp(kind, "robust") == 0)
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    else if (strcmp(kind, "inherit") == 0)
        pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    else if (strcmp(kind, "shared") == 0)
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    else
        abort();
    pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer); /* HELD outer */
    pthread_mutex_lock(inner); /* WANTED inner */
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

static void *first(void *unused) {
    nest(&a, &b);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    nest(&b, &a);
    next_turn();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    initialise(&a, argc > 1 ? argv[1] : "recursive");
    initialise(&b, argc > 1 ? argv[1] : "recursive");
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&a);
    pthread_mutex_destroy(&b);
    return 0;
}
