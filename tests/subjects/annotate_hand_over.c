/* A mutex that one thread takes and another gives up: misuse, unless the program says
 * that it was handed over; and then what the taker does under it counts as any hold.

   case: silently
   expect: unlock-foreign none error
   call: UNLOCKED by the worker
   earlier: TAKEN by main
   case: announced
   silent
   near: unlock-foreign, thread-exit-held
   case: nested
   expect: order-cycle feasible error
   edge: TAKEN over -> LOCKED under it
   edge: LOCKED first -> LOCKED under that
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <lockgraph/annotate.h>

static pthread_mutex_t baton = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static int announced, nested;
static _Atomic int worker_is_done;

static void *worker(void *nothing) {
    if (announced)
        LG_TAKEN_OVER(&baton); /* TAKEN over */
    if (nested) {
        pthread_mutex_lock(&other); /* LOCKED under it */
        pthread_mutex_unlock(&other);
    }
    pthread_mutex_unlock(&baton); /* UNLOCKED by the worker */
    atomic_store(&worker_is_done, 1);
    return nothing;
}

static void *reverse(void *nothing) {
    while (!atomic_load(&worker_is_done))
        continue;
    pthread_mutex_lock(&other); /* LOCKED first */
    pthread_mutex_lock(&baton); /* LOCKED under that */
    pthread_mutex_unlock(&baton);
    pthread_mutex_unlock(&other);
    return nothing;
}

static void *starter(void *nothing) {
    pthread_t thread;
    pthread_mutex_lock(&baton); /* TAKEN by main */
    if (announced)
        LG_HANDED_OVER(&baton);
    pthread_create(&thread, NULL, worker, NULL);
    if (announced)
        pthread_detach(thread); /* it may outlive us */
    else
        pthread_join(thread, NULL);
    return nothing;
}

int main(int count, char **arguments) {
    pthread_t thread, reversing;
    announced = count > 1 && strcmp(arguments[1], "silently") != 0;
    nested = count > 1 && strcmp(arguments[1], "nested") == 0;
    pthread_create(&thread, NULL, starter, NULL);
    if (nested) {
        pthread_create(&reversing, NULL, reverse, NULL);
        pthread_join(reversing, NULL);
    }
    pthread_join(thread, NULL);
    pthread_mutex_lock(&baton); /* the worker is done with it */
    pthread_mutex_unlock(&baton);
    return 0;
}
