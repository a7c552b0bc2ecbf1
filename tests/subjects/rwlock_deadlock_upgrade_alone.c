/* A reader that asks to write waits for itself, also where it is the only one.
 *
 * deadlock
 * expect: self-deadlock actual error
 * edge: READS cache -> WRITES cache
 * edges: 1
 */
#include <pthread.h>

#include "turns.h"

static pthread_rwlock_t cache = PTHREAD_RWLOCK_INITIALIZER;

static void *upgrade(void *unused) {
    pthread_rwlock_rdlock(&cache); /* READS cache */
    pthread_rwlock_wrlock(&cache); /* WRITES cache */
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t thread;
    pthread_create(&thread, NULL, upgrade, NULL);
    pthread_join(thread, NULL);
    return 0;
}
