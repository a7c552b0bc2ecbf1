/* Locks taken while threads end: destructors of thread-specific data run in
 * rounds, also after the runtime's own had its turn.
 *
 * expect: order-cycle feasible error
 * edge: HELD outer -> WANTED inner
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;

__attribute__((noinline)) static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer); /* HELD outer */
    pthread_mutex_lock(inner); /* WANTED inner */
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

struct ending {
    int number, round;
};

static void end(void *argument) {
    struct ending *ending = argument;
    if (++ending->round < 4) {
        pthread_setspecific(key, ending);
        return;
    }
    await_turn(ending->number);
    if (ending->number == 0)
        nest(&a, &b);
    else
        nest(&b, &a);
    next_turn();
    await_turn(2);
}

static void *body(void *argument) {
    pthread_setspecific(key, argument);
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    struct ending endings[2] = {{0, 0}, {1, 0}};
    pthread_key_create(&key, end);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, body, &endings[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return turn == 2 ? 0 : 1;
}
