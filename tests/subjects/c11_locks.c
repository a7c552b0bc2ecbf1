/* The same inversion through <threads.h>.
 *
 * expect: order-cycle feasible error
 * shows: abba of C11 mutexes
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 */
#include <threads.h>

#include "turns.h"

static mtx_t a, b;

static int first(void *unused) {
    (void)unused;
    mtx_lock(&a); /* HELD a */
    mtx_lock(&b); /* WANTED b */
    mtx_unlock(&b);
    mtx_unlock(&a);
    next_turn();
    await_turn(2);
    return 0;
}

static int second(void *unused) {
    (void)unused;
    await_turn(1);
    mtx_lock(&b); /* HELD b */
    mtx_lock(&a); /* WANTED a */
    mtx_unlock(&a);
    mtx_unlock(&b);
    next_turn();
    return 0;
}

int main(void) {
    thrd_t threads[2];
    mtx_init(&a, mtx_plain);
    mtx_init(&b, mtx_plain);
    thrd_create(&threads[0], first, NULL);
    thrd_create(&threads[1], second, NULL);
    for (int i = 0; i < 2; i++)
        thrd_join(threads[i], NULL);
    return 0;
}
