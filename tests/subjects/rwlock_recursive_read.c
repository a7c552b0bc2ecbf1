/* Reading again what one reads, alone and under other locks, while others write.
 *
 * silent
 * near: self-deadlock
 */
#include <pthread.h>

#include "turns.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;

static void *reader(void *unused) {
    for (int i = 0; i < 2000; i++) {
        pthread_rwlock_rdlock(&table);
        pthread_mutex_lock(&inner);
        pthread_rwlock_rdlock(&table);
        pthread_rwlock_rdlock(&table);
        pthread_rwlock_unlock(&table);
        pthread_rwlock_unlock(&table);
        pthread_mutex_unlock(&inner);
        pthread_rwlock_unlock(&table);
    }
    return unused;
}

static void *writer(void *unused) {
    for (int i = 0; i < 2000; i++) {
        pthread_rwlock_wrlock(&table);
        pthread_mutex_lock(&inner);
        pthread_mutex_unlock(&inner);
        pthread_rwlock_unlock(&table);
    }
    return unused;
}

int main(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, i % 2 ? reader : writer, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
