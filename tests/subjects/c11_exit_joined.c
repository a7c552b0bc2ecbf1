/* The first order belongs to a thread that left by thrd_exit, far down, and was
 * joined before the other order was taken.
 *
 * silent
 * note: order-cycle ordered joined
 */
#include <threads.h>

static mtx_t a, b;

static void leave(void) { thrd_exit(3); }

static int first(void *unused) {
    (void)unused;
    mtx_lock(&a);
    mtx_lock(&b);
    mtx_unlock(&b);
    mtx_unlock(&a);
    leave();
    return 0;
}

static int second(void *unused) {
    (void)unused;
    mtx_lock(&b);
    mtx_lock(&a);
    mtx_unlock(&a);
    mtx_unlock(&b);
    return 0;
}

int main(void) {
    thrd_t thread;
    int result;
    mtx_init(&a, mtx_plain);
    mtx_init(&b, mtx_plain);
    thrd_create(&thread, first, NULL);
    if (thrd_join(thread, &result) != thrd_success || result != 3)
        return 1;
    thrd_create(&thread, second, NULL);
    return thrd_join(thread, NULL) != thrd_success;
}
