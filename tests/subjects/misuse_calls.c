/* Calls that cannot be right: joining oneself, a mutex that is none, and calls that
 * are refused.
 * case: join-main
 *     expect: join-self none error
 *     call: JOIN
 *     says: joins itself
 * case: join-thread
 *     expect: join-self none error
 *     call: JOIN
 *     earlier: CREATED
 * case: join-timed
 *     expect: join-self none error
 *     call: TIMED JOIN
 * case: join-other
 *     silent
 *     near: join-self
 * case: join-tried
 *     silent
 *     near: join-self
 * case: garbage
 *     expect: wrong-type none error
 *     call: LOCK
 *     lock: garbage
 * case: garbage-heap
 *     expect: wrong-type none error
 *     call: LOCK
 * case: garbage-tried
 *     expect: wrong-type none error
 *     call: TRIED
 * case: zeroed
 *     silent
 *     near: wrong-type
 * case: adaptive
 *     silent
 *     near: wrong-type
 * case: refused-create
 *     expect: api-error none warning
 *     call: CREATE
 *     says: fails with EAGAIN
 * case: refused-relock
 *     expect: api-error none warning
 *     call: LOCK
 *     earlier: LOCK
 *     says: fails with EDEADLK
 * case: refused-detach
 *     expect: api-error none warning
 *     call: DETACH
 * case: busy
 *     silent
 *     near: api-error
 * case: timed-out
 *     silent
 *     near: api-error
 * case: owner-died
 *     note: thread-exit-held none
 *     silent
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_mutex_t adaptive = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t garbage, zeroed;

static int join(pthread_t thread) {
    int result = pthread_join(thread, NULL); /* JOIN */
    return result;
}

static struct timespec now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return time;
}

static int join_timed(pthread_t thread) {
    struct timespec at = now();
    int result = pthread_timedjoin_np(thread, NULL, &at); /* TIMED JOIN */
    return result;
}

static int lock(pthread_mutex_t *mutex) {
    int result = pthread_mutex_lock(mutex); /* LOCK */
    return result;
}

static int try(pthread_mutex_t *mutex) {
    int result = pthread_mutex_trylock(mutex); /* TRIED */
    return result;
}

static void *nothing(void *unused) { return unused; }

static void *join_myself(void *unused) {
    join(pthread_self());
    return unused;
}

static void *keep(void *mutex) {
    lock(mutex);
    return NULL;
}

static pthread_t start(void *(*routine)(void *), void *argument) {
    pthread_t thread;
    pthread_create(&thread, NULL, routine, argument); /* CREATED */
    return thread;
}

static void join_cases(const char *word) {
    if (strcmp(word, "main") == 0)
        join(pthread_self());
    else if (strcmp(word, "timed") == 0)
        join_timed(pthread_self());
    else if (strcmp(word, "thread") == 0)
        join(start(join_myself, NULL));
    else if (strcmp(word, "other") == 0)
        join(start(nothing, NULL));
    else {
        pthread_t thread = start(nothing, NULL);
        while (pthread_tryjoin_np(thread, NULL) != 0)
            ;
    }
}

static void use(pthread_mutex_t *mutex) {
    lock(mutex);
    pthread_mutex_unlock(mutex);
}

static void refused_create(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)1 << 46);
    if (pthread_create(&thread, &attributes, nothing, NULL) == 0) /* CREATE */
        join(thread);
}

static void refused_detach(void) {
    pthread_t thread = start(nothing, NULL);
    pthread_detach(thread);
    pthread_detach(pthread_self());
    pthread_detach(pthread_self()); /* DETACH */
}

static void *ask_for_a_moment(void *mutex) {
    struct timespec at = now();
    pthread_mutex_timedlock(mutex, &at);
    return NULL;
}

static void timed_out(void) {
    lock(&plain);
    pthread_t thread = start(ask_for_a_moment, &plain);
    usleep(50000);
    pthread_mutex_unlock(&plain);
    join(thread);
}

static void robust(pthread_mutex_t *mutex) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(mutex, &attributes);
    join(start(keep, mutex));
    lock(mutex);
    pthread_mutex_consistent(mutex);
    pthread_mutex_unlock(mutex);
}

int main(int count, char **words) {
    const char *word = count > 1 ? words[1] : "";
    memset(&garbage, 0xa5, sizeof garbage);
    use(&plain);
    if (strncmp(word, "join-", 5) == 0)
        join_cases(word + 5);
    else if (strcmp(word, "garbage") == 0)
        lock(&garbage);
    else if (strcmp(word, "garbage-heap") == 0)
        lock(memset(malloc(sizeof garbage), 0x7f, sizeof garbage));
    else if (strcmp(word, "garbage-tried") == 0)
        try(&garbage);
    else if (strcmp(word, "zeroed") == 0)
        use(&zeroed);
    else if (strcmp(word, "adaptive") == 0)
        use(&adaptive);
    else if (strcmp(word, "refused-relock") == 0) {
        lock(&checked);
        lock(&checked);
    } else if (strcmp(word, "refused-create") == 0)
        refused_create();
    else if (strcmp(word, "refused-detach") == 0)
        refused_detach();
    else if (strcmp(word, "busy") == 0) {
        lock(&plain);
        try(&plain);
        pthread_mutex_unlock(&plain);
    } else if (strcmp(word, "timed-out") == 0)
        timed_out();
    else if (strcmp(word, "owner-died") == 0)
        robust(&plain);
    return 0;
}
