/* Two threads that keep each other waiting, in one order: nothing is lost,
 * nothing is said.  Now and then the holder sleeps, so that a wait is published.
 *
 * silent
 * seconds: 20
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROUNDS = 20000, SLEEPS = 20 };

static pthread_spinlock_t outer, inner;
static long under_outer, under_inner;

static void *work(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_spin_lock(&outer);
        under_outer++;
        pthread_spin_lock(&inner);
        under_inner++;
        if (i % (ROUNDS / SLEEPS) == 0)
            usleep(3000);
        /* Out of order, too. */
        pthread_spin_unlock(i % 2 ? &inner : &outer);
        pthread_spin_unlock(i % 2 ? &outer : &inner);
    }
    return unused;
}

int main(void) {
    pthread_t threads[2];
    pthread_spin_init(&outer, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_init(&inner, PTHREAD_PROCESS_PRIVATE);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    if (under_outer != 2 * ROUNDS || under_inner != 2 * ROUNDS) {
        fprintf(stderr, "%ld %ld\n", under_outer, under_inner);
        abort();
    }
    return 0;
}
