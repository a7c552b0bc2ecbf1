/* One function makes all locks, called by others and as the first one of a thread: what tells
 * the locks of those apart does not tell that thread's own.
 *
 * helper
 */
#include <pthread.h>
#include <stdlib.h>

#ifdef __clang__ /* has no noclone, and clones nothing that is not asked for */
#define APART __attribute__((noinline))
#else
#define APART __attribute__((noinline, noclone))
#endif

static pthread_mutex_t last = PTHREAD_MUTEX_INITIALIZER;

APART static void set_up(pthread_mutex_t *lock) {
    if (pthread_mutex_init(lock, NULL) != 0)
        abort();
}
APART static void *make(void *unused) {
    pthread_mutex_t *lock = malloc(sizeof *lock);
    (void)unused;
    if (lock == NULL)
        abort();
    set_up(lock);
    return lock;
}
APART static pthread_mutex_t *make_outer(void) {
    pthread_mutex_t *lock = make(NULL);
    return lock;
}
APART static pthread_mutex_t *make_inner(void) {
    pthread_mutex_t *lock = make(NULL);
    return lock;
}

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

int main(void) {
    pthread_mutex_t *outer = make_outer(), *inner = make_inner();
    void *own = NULL;
    pthread_t thread;
    if (pthread_create(&thread, NULL, make, NULL) != 0 || pthread_join(thread, &own) != 0)
        abort();
    nest(outer, inner);
    nest(own, &last);
    free(outer);
    free(inner);
    free(own);
    return 0;
}
