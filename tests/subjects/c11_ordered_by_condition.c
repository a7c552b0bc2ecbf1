/* The second order is taken only by a thread that cnd_signal woke after the
 * first one was over.
 *
 * silent
 * note: order-cycle ordered condition
 */
#include <stdbool.h>
#include <threads.h>
#include <unistd.h>

static mtx_t a, b, state;
static cnd_t changed;
static bool waiting, done;

static int first(void *unused) {
    (void)unused;
    for (bool there = false; !there; usleep(1000)) {
        mtx_lock(&state);
        there = waiting;
        mtx_unlock(&state);
    }
    mtx_lock(&a);
    mtx_lock(&b);
    mtx_unlock(&b);
    mtx_unlock(&a);
    mtx_lock(&state);
    done = true;
    cnd_signal(&changed);
    mtx_unlock(&state);
    return 0;
}

static int second(void *unused) {
    (void)unused;
    mtx_lock(&state);
    waiting = true;
    while (!done)
        cnd_wait(&changed, &state);
    mtx_unlock(&state);
    mtx_lock(&b);
    mtx_lock(&a);
    mtx_unlock(&a);
    mtx_unlock(&b);
    return 0;
}

int main(void) {
    thrd_t threads[2];
    mtx_init(&a, mtx_plain);
    mtx_init(&b, mtx_plain);
    mtx_init(&state, mtx_plain);
    cnd_init(&changed);
    thrd_create(&threads[0], first, NULL);
    thrd_create(&threads[1], second, NULL);
    for (int i = 0; i < 2; i++)
        thrd_join(threads[i], NULL);
    return 0;
}
