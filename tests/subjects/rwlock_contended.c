/* Readers and writers of every kind of rwlock, always in one order, who wait for
 * each other all the time: nothing to report, and everybody is through in time.
 *
 * arguments: 0 | 1 | 2
 * silent
 * seconds: 20
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 6, ROUNDS = 3000 };

static pthread_rwlock_t outer, inner;
static pthread_mutex_t between = PTHREAD_MUTEX_INITIALIZER;
static long written, read_last;

static void *work(void *number) {
    unsigned seed = (unsigned)(size_t)number;
    for (int i = 0; i < ROUNDS; i++) {
        int choice = rand_r(&seed) % 4;
        if (choice == 0)
            pthread_rwlock_wrlock(&outer);
        else
            pthread_rwlock_rdlock(&outer);
        pthread_mutex_lock(&between);
        if (choice % 2 == 0) {
            pthread_rwlock_wrlock(&inner);
            written++;
        } else {
            pthread_rwlock_rdlock(&inner);
            read_last = written;
        }
        if (i % 64 == 0)
            usleep(10);
        pthread_rwlock_unlock(&inner);
        pthread_mutex_unlock(&between);
        pthread_rwlock_unlock(&outer);
    }
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS];
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, argc > 1 ? atoi(argv[1]) : 0);
    pthread_rwlock_init(&outer, &attributes);
    pthread_rwlock_init(&inner, &attributes);
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return read_last > written;
}
