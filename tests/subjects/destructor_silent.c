/* A destructor of a detached thread gives a lock up before it asks for another one,
 * which a thread has that waits for the first.
 *
 * silent
 * near: deadlock, order-cycle
 * case: read
 * case: write
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "turns.h"

static pthread_mutex_t last = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_key_t key;
static int reads;

static void destructor(void *unused) {
    (void)unused;
    if (reads)
        pthread_rwlock_rdlock(&rwlock);
    else
        pthread_rwlock_wrlock(&rwlock);
    next_turn();
    await_turn(2);
    usleep(100000);
    pthread_rwlock_unlock(&rwlock);
    pthread_mutex_lock(&last);
    pthread_mutex_unlock(&last);
    next_turn();
}

static void *leaves(void *unused) {
    pthread_setspecific(key, &key);
    return unused;
}

static void *stays(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&last);
    next_turn();
    pthread_rwlock_wrlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    pthread_mutex_unlock(&last);
    return unused;
}

int main(int count, char **words) {
    pthread_t leaver, stayer;
    reads = count > 1 && strcmp(words[1], "read") == 0;
    alarm(60);
    pthread_key_create(&key, destructor);
    pthread_create(&leaver, NULL, leaves, NULL);
    pthread_detach(leaver);
    pthread_create(&stayer, NULL, stays, NULL);
    pthread_join(stayer, NULL);
    await_turn(3);
    return 0;
}
