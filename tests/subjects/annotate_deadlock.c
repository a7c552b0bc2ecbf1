/* Two futex locks of the program's own, taken in both orders by threads that meet:
 * since they say when they go to sleep, the deadlock is named at once.

   expect: deadlock actual error
   edge: HOLDS one -> WANTS another
   edge: HOLDS another -> WANTS one
   deadlock
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lockgraph/annotate.h>

struct own_lock {
    _Atomic int taken;
};
static struct own_lock left, right;
static pthread_barrier_t both;

#define TAKE(lock)                                                                                           \
    do {                                                                                                     \
        LG_CUSTOM_ACQUIRING(lock);                                                                           \
        while (atomic_exchange(&(lock)->taken, 1) != 0) {                                                    \
            LG_CUSTOM_BLOCKING(lock);                                                                        \
            syscall(SYS_futex, &(lock)->taken, FUTEX_WAIT_PRIVATE, 1, NULL);                                 \
        }                                                                                                    \
        LG_CUSTOM_ACQUIRED(lock);                                                                            \
    } while (0)

static void *one(void *nothing) {
    TAKE(&left); /* HOLDS one */
    pthread_barrier_wait(&both);
    TAKE(&right); /* WANTS another */
    return nothing;
}

static void *other(void *nothing) {
    TAKE(&right); /* HOLDS another */
    pthread_barrier_wait(&both);
    TAKE(&left); /* WANTS one */
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
