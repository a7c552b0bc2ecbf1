/* One thread holds a hundred locks at once; another takes the last and then
 * the first of them.
 *
 * expect: order-cycle feasible error
 * edges: 2
 * edge: HELD chain -> HELD chain
 * edge: HELD last -> WANTED first
 */
#include <pthread.h>

#include "turns.h"

enum { COUNT = 100 };
static pthread_mutex_t locks[COUNT];

static void *deep(void *unused) {
    for (int i = 0; i < COUNT; i++)
        pthread_mutex_lock(&locks[i]); /* HELD chain */
    for (int i = COUNT - 1; i >= 0; i--)
        pthread_mutex_unlock(&locks[i]);
    next_turn();
    await_turn(2);
    return unused;
}

static void *inverted(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&locks[COUNT - 1]); /* HELD last */
    pthread_mutex_lock(&locks[0]);         /* WANTED first */
    pthread_mutex_unlock(&locks[0]);
    pthread_mutex_unlock(&locks[COUNT - 1]);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[2];
    for (int i = 0; i < COUNT; i++)
        pthread_mutex_init(&locks[i], NULL);
    pthread_create(&threads[0], NULL, deep, NULL);
    pthread_create(&threads[1], NULL, inverted, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
