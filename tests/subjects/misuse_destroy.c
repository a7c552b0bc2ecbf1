/* Destroying a mutex too early, and using it too late.
 * case: held
 *     expect: destroy-held none error
 *     call: DESTROY
 *     earlier: LOCK
 *     lock: queue_lock
 *     says: destroys queue_lock, which it holds itself
 * case: held-by-other
 *     expect: destroy-held none error
 *     call: DESTROY
 *     earlier: WORKER LOCKS
 *     earlier thread: keep
 *     says: which T2 (keep) holds
 * case: held-heap
 *     expect: destroy-held none error
 *     call: DESTROY
 *     earlier: LOCK
 * case: waited
 *     expect: destroy-waited none error
 *     call: DESTROY
 *     earlier: WORKER ASKS
 *     earlier thread: ask
 *     says: destroys queue_lock, for which T2 (ask) waits
 * case: waited-errorcheck
 *     expect: destroy-waited none error
 *     call: DESTROY
 *     earlier: WORKER ASKS
 * case: waited-heap
 *     expect: destroy-waited none error
 *     call: DESTROY
 *     earlier: WORKER ASKS
 * case: locked-after
 *     expect: use-destroyed none error
 *     call: LOCKED AFTER
 *     earlier: DESTROY
 *     lock: queue_lock
 *     says: uses queue_lock after it was destroyed
 * case: unlocked-after
 *     expect: use-destroyed none error
 *     call: UNLOCKED AFTER
 *     earlier: DESTROY
 * case: tried-after
 *     expect: use-destroyed none error
 *     call: TRIED AFTER
 *     earlier: DESTROY
 * case: destroyed-twice
 *     expect: use-destroyed none error
 *     call: DESTROYED TWICE
 *     earlier: DESTROY
 * case: after-in-thread
 *     expect: use-destroyed none error
 *     call: WORKER ASKS
 *     earlier: DESTROY
 *     earlier thread: main
 * case: unlocked-first
 *     silent
 *     near: destroy-held
 * case: waiters-gone
 *     silent
 *     near: destroy-waited
 * case: waiter-gave-up
 *     silent
 *     near: destroy-waited
 * case: made-anew
 *     silent
 *     near: use-destroyed
 * case: made-anew-static
 *     silent
 *     near: use-destroyed
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_barrier_t turn;

static int lock(pthread_mutex_t *mutex) {
    int result = pthread_mutex_lock(mutex); /* LOCK */
    return result;
}

static int destroy(pthread_mutex_t *mutex) {
    int result = pthread_mutex_destroy(mutex); /* DESTROY */
    return result;
}

static pthread_mutex_t *heap_mutex(void) {
    pthread_mutex_t *mutex = malloc(sizeof *mutex);
    pthread_mutex_init(mutex, NULL);
    return mutex;
}

static void held(pthread_mutex_t *mutex) {
    lock(mutex);
    destroy(mutex);
    pthread_mutex_unlock(mutex);
}

static void *keep(void *mutex) {
    pthread_mutex_lock(mutex); /* WORKER LOCKS */
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    pthread_mutex_unlock(mutex);
    return NULL;
}

static void held_by_other(void) {
    pthread_t worker;
    pthread_create(&worker, NULL, keep, &queue_lock);
    pthread_barrier_wait(&turn);
    destroy(&queue_lock);
    pthread_barrier_wait(&turn);
    pthread_join(worker, NULL);
}

static void *ask(void *mutex) {
    if (pthread_mutex_lock(mutex) == 0) /* WORKER ASKS */
        pthread_mutex_unlock(mutex);
    return NULL;
}

static void waited(pthread_mutex_t *mutex) {
    pthread_t worker;
    lock(mutex);
    pthread_create(&worker, NULL, ask, mutex);
    usleep(100000);
    destroy(mutex);
    pthread_mutex_unlock(mutex);
    pthread_join(worker, NULL);
}

static void *ask_for_a_moment(void *mutex) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (pthread_mutex_timedlock(mutex, &at) == 0)
        pthread_mutex_unlock(mutex);
    pthread_barrier_wait(&turn);
    return NULL;
}

/* It waited for the very lock that is destroyed, but not any more. */
static void waiter_gave_up(void) {
    pthread_t worker;
    lock(&queue_lock);
    pthread_create(&worker, NULL, ask_for_a_moment, &queue_lock);
    pthread_barrier_wait(&turn);
    pthread_mutex_unlock(&queue_lock);
    destroy(&queue_lock);
    pthread_join(worker, NULL);
}

static void after_in_thread(void) {
    pthread_t worker;
    lock(&queue_lock);
    pthread_mutex_unlock(&queue_lock);
    destroy(&queue_lock);
    pthread_create(&worker, NULL, ask, &queue_lock);
    pthread_join(worker, NULL);
}

static void use_after(const char *word) {
    lock(&queue_lock);
    pthread_mutex_unlock(&queue_lock);
    destroy(&queue_lock);
    if (strcmp(word, "locked-after") == 0)
        pthread_mutex_lock(&queue_lock); /* LOCKED AFTER */
    else if (strcmp(word, "unlocked-after") == 0)
        pthread_mutex_unlock(&queue_lock); /* UNLOCKED AFTER */
    else if (strcmp(word, "tried-after") == 0)
        pthread_mutex_trylock(&queue_lock); /* TRIED AFTER */
    else if (strcmp(word, "destroyed-twice") == 0)
        pthread_mutex_destroy(&queue_lock); /* DESTROYED TWICE */
}

static void waiters_gone(void) {
    pthread_t worker;
    lock(&queue_lock);
    pthread_create(&worker, NULL, ask, &queue_lock);
    usleep(20000);
    pthread_mutex_unlock(&queue_lock);
    pthread_join(worker, NULL);
    destroy(&queue_lock);
}

static void made_anew(void) {
    static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    for (int i = 0; i < 3; i++) {
        lock(&queue_lock);
        pthread_mutex_unlock(&queue_lock);
        destroy(&queue_lock);
        if (i % 2)
            pthread_mutex_init(&queue_lock, NULL);
        else
            queue_lock = fresh;
    }
    ask(&queue_lock);
}

int main(int count, char **words) {
    const char *word = count > 1 ? words[1] : "";
    pthread_barrier_init(&turn, NULL, 2);
    if (strcmp(word, "held") == 0)
        held(&queue_lock);
    else if (strcmp(word, "held-heap") == 0)
        held(heap_mutex());
    else if (strcmp(word, "held-by-other") == 0)
        held_by_other();
    else if (strcmp(word, "waited") == 0)
        waited(&queue_lock);
    else if (strcmp(word, "waited-errorcheck") == 0)
        waited(&checked);
    else if (strcmp(word, "waited-heap") == 0)
        waited(heap_mutex());
    else if (strcmp(word, "after-in-thread") == 0)
        after_in_thread();
    else if (strcmp(word, "waiters-gone") == 0)
        waiters_gone();
    else if (strcmp(word, "waiter-gave-up") == 0)
        waiter_gave_up();
    else if (strncmp(word, "made-anew", 9) == 0)
        made_anew();
    else
        use_after(word);
    return 0;
}
