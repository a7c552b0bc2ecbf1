/* Two drop-in mutexes without levels, with the default limit of 30 s, taken in both
 * orders by threads that meet: told at once, long before the limit ends it.

   expect: deadlock actual error
   edge: HOLDS first -> WANTS second
   edge: HOLDS second -> WANTS first
   deadlock
 */
#include <pthread.h>

#include <lockgraph/lockgraph.h>

static lg_mutex_t first = LG_MUTEX_INITIALIZER("first", LG_NO_LEVEL);
static lg_mutex_t second = LG_MUTEX_INITIALIZER("second", LG_NO_LEVEL);
static pthread_barrier_t both;

static void *one(void *nothing) {
    lg_mutex_lock(&first); /* HOLDS first */
    pthread_barrier_wait(&both);
    lg_mutex_lock(&second); /* WANTS second */
    lg_mutex_unlock(&second);
    lg_mutex_unlock(&first);
    return nothing;
}

static void *other(void *nothing) {
    lg_mutex_lock(&second); /* HOLDS second */
    pthread_barrier_wait(&both);
    lg_mutex_lock(&first); /* WANTS first */
    lg_mutex_unlock(&first);
    lg_mutex_unlock(&second);
    return nothing;
}

int main(void) {
    pthread_t threads[2];
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&threads[0], NULL, one, NULL);
    pthread_create(&threads[1], NULL, other, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
