/* Two drop-in mutexes without levels in both orders, by threads that miss each other: a
 * possible deadlock.  A limit of the program's own ends in ETIMEDOUT, with nothing held.

   arguments: miss | limit
   case: miss
   expect: order-cycle feasible error
   edge: HOLDS first one -> WANTS second one
   edge: HOLDS second other -> WANTS first other
   case: limit
   silent
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lockgraph/lockgraph.h>

enum { LIMIT_MS = 200 };

static lg_mutex_t first = LG_MUTEX_INITIALIZER("first", LG_NO_LEVEL);
static lg_mutex_t second = LG_MUTEX_INITIALIZER("second", LG_NO_LEVEL);

static void *one(void *nothing) {
    lg_mutex_lock(&first);  /* HOLDS first one */
    lg_mutex_lock(&second); /* WANTS second one */
    lg_mutex_unlock(&second);
    lg_mutex_unlock(&first);
    return nothing;
}

static void *other(void *nothing) {
    lg_mutex_lock(&second); /* HOLDS second other */
    lg_mutex_lock(&first);  /* WANTS first other */
    lg_mutex_unlock(&first);
    lg_mutex_unlock(&second);
    return nothing;
}

static _Atomic int step;
static void await(int wanted) {
    while (step < wanted)
        continue;
}

/* They are both there all the time, so that nothing orders them. */
static void *one_after(void *nothing) {
    one(nothing);
    step = 1;
    await(2);
    return nothing;
}
static void *other_after(void *nothing) {
    await(1);
    other(nothing);
    step = 2;
    return nothing;
}

static void *hold(void *nothing) {
    lg_mutex_lock(&first);
    step = 1;
    await(2);
    lg_mutex_unlock(&first);
    return nothing;
}

static int limit(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, hold, NULL);
    await(1);
    int result = lg_mutex_timedlock(&first, LIMIT_MS);
    step = 2;
    pthread_join(thread, NULL);
    return result == ETIMEDOUT && lg_mutex_lock(&first) == 0 && lg_mutex_unlock(&first) == 0 ? 0 : 1;
}

int main(int count, char **arguments) {
    pthread_t threads[2];
    const char *what = count > 1 ? arguments[1] : "miss";
    if (strcmp(what, "limit") == 0)
        return limit();
    pthread_create(&threads[0], NULL, one_after, NULL);
    pthread_create(&threads[1], NULL, other_after, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
