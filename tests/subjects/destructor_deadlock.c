/* One half of a deadlock is in a destructor of a detached thread, which nobody waits
 * for any more.
 *
 * deadlock
 * expect: deadlock actual error
 * threads: 2
 * case: mutex
 * thread: HELD mutex, WANTED last
 * thread: HELD last, WANTED mutex
 * case: write
 * thread: HELD write, WANTED last
 * thread: HELD last, WANTED write
 * case: read
 * thread: HELD read, WANTED last
 * thread: HELD last, WANTED write
 * case: spin
 * thread: HELD spin, WANTED last
 * thread: HELD last, WANTED spin
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "turns.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, last = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spinlock;
static pthread_key_t key;

static const char *way;

static int is(const char *word) { return strcmp(way, word) == 0; }

static void take(void) {
    if (is("mutex"))
        pthread_mutex_lock(&mutex); /* HELD mutex */
    if (is("spin"))
        pthread_spin_lock(&spinlock); /* HELD spin */
    if (is("read"))
        pthread_rwlock_rdlock(&rwlock); /* HELD read */
    if (is("write"))
        pthread_rwlock_wrlock(&rwlock); /* HELD write */
}

static void want(void) {
    if (is("mutex"))
        pthread_mutex_lock(&mutex); /* WANTED mutex */
    else if (is("spin"))
        pthread_spin_lock(&spinlock); /* WANTED spin */
    else
        pthread_rwlock_wrlock(&rwlock); /* WANTED write */
}

static void destructor(void *unused) {
    (void)unused;
    take();
    next_turn();
    await_turn(2);
    pthread_mutex_lock(&last); /* WANTED last */
    pthread_mutex_unlock(&last);
}

static void *leaves(void *unused) {
    pthread_setspecific(key, &key);
    return unused;
}

static void *stays(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&last); /* HELD last */
    next_turn();
    want();
    pthread_mutex_unlock(&last);
    return unused;
}

int main(int count, char **words) {
    pthread_t leaver, stayer;
    way = count > 1 ? words[1] : "";
    alarm(60);
    pthread_spin_init(&spinlock, 0);
    pthread_key_create(&key, destructor);
    pthread_create(&leaver, NULL, leaves, NULL);
    pthread_detach(leaver);
    pthread_create(&stayer, NULL, stays, NULL);
    pthread_join(stayer, NULL);
    return 0;
}
