/* Two readers that both ask to write what they read.
 *
 * deadlock
 * expect: deadlock actual error
 * shows: two readers that upgrade
 * edges: 2
 * threads: 2
 * edge: READS cache -> WRITES cache
 * says: cache
 */
#include <pthread.h>

#include "turns.h"

static pthread_rwlock_t cache = PTHREAD_RWLOCK_INITIALIZER;

static void *upgrade(void *unused) {
    pthread_rwlock_rdlock(&cache); /* READS cache */
    next_turn();
    await_turn(2);
    pthread_rwlock_wrlock(&cache); /* WRITES cache */
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, upgrade, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
