/* cnd_wait takes its mutex again while another lock stays held: that is the
 * second direction.
 *
 * expect: order-cycle feasible error
 * edge: HELD queue -> WANTED log
 * edge: HELD log -> WAITS
 */
#include <threads.h>
#include <time.h>

#include "turns.h"

static mtx_t queue, log_lock;
static cnd_t changed;

static int waiter(void *unused) {
    struct timespec at;
    (void)unused;
    timespec_get(&at, TIME_UTC);
    mtx_lock(&queue);
    mtx_lock(&log_lock);                  /* HELD log */
    cnd_timedwait(&changed, &queue, &at); /* WAITS */
    mtx_unlock(&log_lock);
    mtx_unlock(&queue);
    next_turn();
    await_turn(2);
    return 0;
}

static int producer(void *unused) {
    (void)unused;
    await_turn(1);
    mtx_lock(&queue);    /* HELD queue */
    mtx_lock(&log_lock); /* WANTED log */
    mtx_unlock(&log_lock);
    mtx_unlock(&queue);
    next_turn();
    return 0;
}

int main(void) {
    thrd_t threads[2];
    mtx_init(&queue, mtx_plain);
    mtx_init(&log_lock, mtx_plain);
    cnd_init(&changed);
    thrd_create(&threads[0], waiter, NULL);
    thrd_create(&threads[1], producer, NULL);
    for (int i = 0; i < 2; i++)
        thrd_join(threads[i], NULL);
    cnd_destroy(&changed);
    return 0;
}
