/* Unlocking what is not one's own.
 * case: twice
 *     expect: unlock-unheld none error
 *     call: SECOND UNLOCK
 *     lock: queue_lock
 *     says: unlocks queue_lock, which nobody holds
 * case: never
 *     expect: unlock-unheld none error
 *     call: UNLOCK ONLY
 * case: errorcheck
 *     expect: unlock-unheld none error
 *     call: CHECKED UNLOCK
 * case: recursive
 *     expect: unlock-unheld none error
 *     call: ONCE TOO OFTEN
 * case: foreign
 *     expect: unlock-foreign none error
 *     call: FOREIGN UNLOCK
 *     earlier: OWNER LOCKS
 *     earlier thread: main
 *     lock: queue_lock
 *     says: unlocks queue_lock, which T1 (main) holds, was unlocked at, was taken at
 * case: foreign-errorcheck
 *     expect: unlock-foreign none error
 *     call: FOREIGN UNLOCK
 *     earlier: OWNER LOCKS
 * case: semaphore
 *     expect: unlock-foreign none error
 *     call: HAND OVER
 *     earlier: TAKEN TWICE
 * case: own
 *     silent
 *     near: unlock-unheld
 * case: own-recursive
 *     silent
 *     near: unlock-unheld, self-deadlock
 * case: out-of-order
 *     silent
 *     near: unlock-unheld
 * case: handed-over
 *     silent
 *     near: unlock-foreign
 */
#include <pthread.h>
#include <string.h>

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t other_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void twice(void) {
    pthread_mutex_lock(&queue_lock);
    pthread_mutex_unlock(&queue_lock);
    pthread_mutex_unlock(&queue_lock); /* SECOND UNLOCK */
}

static int never(void) {
    int result = pthread_mutex_unlock(&queue_lock); /* UNLOCK ONLY */
    return result;
}

static int errorcheck(void) {
    int result = pthread_mutex_unlock(&checked); /* CHECKED UNLOCK */
    return result;
}

static void once_too_often(void) {
    pthread_mutex_lock(&recursive);
    pthread_mutex_lock(&recursive);
    pthread_mutex_unlock(&recursive);
    pthread_mutex_unlock(&recursive);
    pthread_mutex_unlock(&recursive); /* ONCE TOO OFTEN */
}

static void *unlock_it(void *mutex) {
    pthread_mutex_unlock(mutex); /* FOREIGN UNLOCK */
    return NULL;
}

static void in_another_thread(pthread_mutex_t *mutex) {
    pthread_t worker;
    pthread_mutex_lock(mutex); /* OWNER LOCKS */
    pthread_create(&worker, NULL, unlock_it, mutex);
    pthread_join(worker, NULL);
}

/* As if it were a semaphore: locked by the one, unlocked by the other. */
static void *post(void *unused) {
    pthread_mutex_unlock(&queue_lock); /* HAND OVER */
    return unused;
}

static void semaphore(void) {
    for (int i = 0; i < 3; i++) {
        pthread_t worker;
        pthread_mutex_lock(&queue_lock); /* TAKEN TWICE */
        pthread_create(&worker, NULL, post, NULL);
        pthread_join(worker, NULL);
    }
}

static void own(pthread_mutex_t *mutex) {
    for (int i = 0; i < 3; i++)
        pthread_mutex_lock(mutex);
    for (int i = 0; i < 3; i++)
        pthread_mutex_unlock(mutex);
}

static void out_of_order(void) {
    pthread_mutex_lock(&queue_lock);
    pthread_mutex_lock(&other_lock);
    pthread_mutex_unlock(&queue_lock);
    pthread_mutex_unlock(&other_lock);
}

/* Each thread unlocks what it locked itself, one after the other. */
static void *lock_and_unlock(void *unused) {
    pthread_mutex_lock(&queue_lock);
    pthread_mutex_unlock(&queue_lock);
    return unused;
}

static void handed_over(void) {
    for (int i = 0; i < 3; i++) {
        pthread_t worker;
        pthread_create(&worker, NULL, lock_and_unlock, NULL);
        pthread_join(worker, NULL);
        lock_and_unlock(NULL);
    }
}

int main(int count, char **words) {
    const char *word = count > 1 ? words[1] : "";
    if (strcmp(word, "twice") == 0)
        twice();
    else if (strcmp(word, "never") == 0)
        never();
    else if (strcmp(word, "errorcheck") == 0)
        errorcheck();
    else if (strcmp(word, "recursive") == 0)
        once_too_often();
    else if (strcmp(word, "foreign") == 0)
        in_another_thread(&queue_lock);
    else if (strcmp(word, "foreign-errorcheck") == 0)
        in_another_thread(&checked);
    else if (strcmp(word, "semaphore") == 0)
        semaphore();
    else if (strcmp(word, "own-recursive") == 0)
        own(&recursive);
    else if (strcmp(word, "out-of-order") == 0)
        out_of_order();
    else if (strcmp(word, "handed-over") == 0)
        handed_over();
    else
        lock_and_unlock(NULL);
    return 0;
}
