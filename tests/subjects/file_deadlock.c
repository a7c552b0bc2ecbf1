/* A file locked by one thread, a mutex by the other, and each wants what the
 * other one has.  The kernel knows nothing of the mutex.
 *
 * deadlock
 * expect: deadlock actual error
 * edge: HELD file -> WANTED mutex
 * edge: HELD mutex -> WANTED file
 * threads: 2
 * says: flock /memfd:first
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "turns.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int descriptors[2];

static void *file_first(void *unused) {
    flock(descriptors[0], LOCK_EX); /* HELD file */
    next_turn();
    await_turn(2);
    pthread_mutex_lock(&mutex); /* WANTED mutex */
    return unused;
}

static void *mutex_first(void *unused) {
    pthread_mutex_lock(&mutex); /* HELD mutex */
    next_turn();
    await_turn(2);
    flock(descriptors[1], LOCK_EX); /* WANTED file */
    return unused;
}

int main(void) {
    pthread_t threads[2];
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", memfd_create("first", 0));
    for (int i = 0; i < 2; i++)
        descriptors[i] = open(path, O_RDWR);
    pthread_create(&threads[0], NULL, file_first, NULL);
    pthread_create(&threads[1], NULL, mutex_first, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
