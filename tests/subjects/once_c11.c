/* The same order through C11's call_once.
 *
 * silent
 * note: order-cycle ordered once
 */
#include <threads.h>

#include "turns.h"

static mtx_t a, b;
static once_flag set_up = ONCE_FLAG_INIT;

static void routine(void) {
    mtx_init(&a, mtx_plain);
    mtx_init(&b, mtx_plain);
    mtx_lock(&a);
    mtx_lock(&b);
    mtx_unlock(&b);
    mtx_unlock(&a);
}

static int first(void *unused) {
    (void)unused;
    call_once(&set_up, routine);
    next_turn();
    await_turn(2);
    return 0;
}

static int second(void *unused) {
    (void)unused;
    await_turn(1);
    call_once(&set_up, routine);
    mtx_lock(&b);
    mtx_lock(&a);
    mtx_unlock(&a);
    mtx_unlock(&b);
    next_turn();
    return 0;
}

int main(void) {
    thrd_t threads[2];
    thrd_create(&threads[0], first, NULL);
    thrd_create(&threads[1], second, NULL);
    for (int i = 0; i < 2; i++)
        thrd_join(threads[i], NULL);
    return 0;
}
