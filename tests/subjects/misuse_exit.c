/* Threads that end with a lock held.
 * case: return
 *     expect: thread-exit-held none error
 *     call: BODY ends
 *     earlier: LOCK
 *     lock: queue_lock
 *     says: ends while it holds queue_lock
 * case: pthread-exit
 *     expect: thread-exit-held none error
 *     call: EXIT
 *     earlier: LOCK
 * case: spin
 *     expect: thread-exit-held none error
 *     call: BODY with a spinlock ends
 *     earlier: SPIN LOCK
 * case: c11
 *     expect: thread-exit-held none error
 *     call: BODY of C11 ends
 *     earlier: LOCK
 * case: detached
 *     expect: thread-exit-held none error
 *     call: BODY ends
 *     earlier: LOCK
 * case: robust
 *     note: thread-exit-held none
 *     silent
 * case: unlocked
 *     silent
 *     near: thread-exit-held
 * case: destructor
 *     silent
 *     near: thread-exit-held
 * case: destructor-late
 *     silent
 *     near: thread-exit-held
 * case: process-exit
 *     silent
 *     near: thread-exit-held
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_key_t key;
static const char *word = "";
static int rounds;

static int lock(void) {
    int result = pthread_mutex_lock(&queue_lock); /* LOCK */
    return result;
}

static void *holds(void *unused) { /* BODY ends */
    lock();
    if (strcmp(word, "pthread-exit") == 0)
        pthread_exit(NULL); /* EXIT */
    if (strcmp(word, "unlocked") == 0)
        pthread_mutex_unlock(&queue_lock);
    if (strncmp(word, "destructor", 10) == 0)
        pthread_setspecific(key, &queue_lock);
    return unused;
}

static void *holds_spin(void *unused) { /* BODY with a spinlock ends */
    pthread_spin_lock(&spin);           /* SPIN LOCK */
    return unused;
}

static int holds_c11(void *unused) { /* BODY of C11 ends */
    (void)unused;
    return lock();
}

/* A guard kept in thread-specific data. */
static void release(void *mutex) {
    if (strcmp(word, "destructor-late") == 0 && ++rounds < 3)
        pthread_setspecific(key, mutex);
    else
        pthread_mutex_unlock(mutex);
}

static void make_robust(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&queue_lock, &attributes);
}

int main(int count, char **words) {
    pthread_t worker;
    thrd_t worker_c11;
    word = count > 1 ? words[1] : "";
    pthread_key_create(&key, release);
    pthread_spin_init(&spin, 0);
    if (strcmp(word, "robust") == 0)
        make_robust();
    if (strcmp(word, "c11") == 0) {
        thrd_create(&worker_c11, holds_c11, NULL);
        thrd_join(worker_c11, NULL);
        return 0;
    }
    if (strcmp(word, "process-exit") == 0)
        return lock();
    pthread_create(&worker, NULL, strcmp(word, "spin") == 0 ? holds_spin : holds, NULL);
    if (strcmp(word, "detached") == 0) {
        pthread_detach(worker);
        usleep(200000);
    } else {
        pthread_join(worker, NULL);
    }
    return 0;
}
